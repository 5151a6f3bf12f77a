"""Licences that a merge inherits, and groups of copies."""

from pathlib import Path

import pytest
from tests.hub.adapters import World, adapter

from recycling.files import read_json, read_tsv
from recycling.hub.pool_summary import copies, inherited, licence_summary, terms_of


def test_licences_of_a_pool() -> None:
    pool = [
        {"licence": "mit", "author": "a"},
        {"licence": "mit,cc-by-nc-4.0", "author": "a"},
        {"licence": "mit", "author": "b"},
        {"licence": "", "author": "c"},
    ]
    rows = licence_summary(pool)
    assert [(row["licence"], row["adapters"], row["authors"]) for row in rows] == [
        ("mit", 3, 2),
        ("cc-by-nc-4.0", 1, 1),
        ("none given", 1, 1),
    ]
    assert [row["commercial"] for row in rows] == ["yes", "no", "unclear"]


@pytest.mark.parametrize(
    ("licence", "commercial"),
    [
        ("apache-2.0", "yes"),
        ("MIT", "yes"),
        ("llama3.1", "limits"),
        ("llama2", "limits"),
        ("cc-by-4.0", "yes"),
        ("cc-by-nc-sa-4.0", "no"),
        ("openrail++", "yes"),
        ("gpl-3.0", "yes"),
        ("mitigated-terms", "unclear"),
        ("other", "unclear"),
        ("", "unclear"),
    ],
)
def test_terms_go_by_the_identifier(licence: str, commercial: str) -> None:
    assert terms_of(licence)[0] == commercial


def test_a_merge_inherits_the_strictest_use_and_all_terms() -> None:
    assert inherited([]) == {"commercial": "yes", "terms": []}
    assert inherited(["mit", "apache-2.0"]) == {
        "commercial": "yes",
        "terms": ["attribution", "changes stated"],
    }
    mixed = inherited(["mit", "llama3.1", "other", "cc-by-nc-sa-4.0"])
    assert mixed["commercial"] == "no"
    assert "the merge under the same licence" in mixed["terms"]
    assert inherited(["llama3.1", "other"])["commercial"] == "unclear"


def test_copies_are_grouped_by_their_original(world: World, tmp_path: Path) -> None:
    for number, name in enumerate(("a/first", "b/copy", "c/copy", "d/copy")):
        world.add(name, adapter(1), created=f"2024-01-0{number + 1}T00:00:00.000Z")
    world.add("a/alone", adapter(2))
    world.add("a/twice", adapter(3), created="2024-01-01T00:00:00.000Z")
    world.add("b/twice", adapter(3), created="2024-01-02T00:00:00.000Z")
    world.pool(tmp_path)
    assert copies(read_tsv(tmp_path / "pool.tsv"), read_tsv(tmp_path / "rejected.tsv")) == [
        {"original": "a/first", "copies": 3, "repositories": "b/copy c/copy d/copy"},
        {"original": "a/twice", "copies": 1, "repositories": "b/twice"},
    ]


def test_the_papers_pool_adds_up() -> None:
    paper = read_json("resources/paper_pool.json")
    for key in ("rank", "alpha", "alpha_over_r", "target_modules", "authors"):
        assert sum(paper[key].values()) == paper["n"] == 960
