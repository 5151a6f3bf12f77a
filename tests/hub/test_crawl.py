"""Candidates: where they come from and how they are frozen."""

import csv
import json
import os
from pathlib import Path

import pytest
from tests.hub.adapters import ALIAS, BASE, QUICK, World, adapter, reason

from recycling.errors import UserError
from recycling.hub.candidates import (
    MAX_FILES,
    Candidate,
    File,
    licence_of,
    read_candidates,
    write_candidates,
)
from recycling.hub.client import Client
from recycling.hub.crawl import crawl, find_candidates, from_folder
from recycling.hub.evidence import Evidence
from recycling.hub.settings import Network
from recycling.miniature.loopback import Loopback, add_repo


def test_a_candidate_is_frozen_with_all_that_was_listed(world: World, tmp_path: Path) -> None:
    files = adapter(1)
    sha = world.add(
        "owner/name",
        files,
        license=["mit", "llama3.1"],
        downloads=12,
        gated="manual",
        created="2024-02-03T04:05:06.000Z",
        modified="2025-02-03T04:05:06.000Z",
    )
    (candidate,) = world.crawl(tmp_path)
    assert (candidate.repo_id, candidate.sha, candidate.author) == ("owner/name", sha, "owner")
    assert (candidate.licence, candidate.downloads) == ("llama3.1,mit", 12)
    assert candidate.gated == "manual"
    assert candidate.created == "2024-02-03T04:05:06+00:00"
    assert candidate.modified == "2025-02-03T04:05:06+00:00"
    assert f"base_model:adapter:{BASE}" in candidate.tags
    assert {file.path: file.size for file in candidate.files} == {
        name: len(content) for name, content in files.items()
    }
    kinds = {file.path: file.digest.split(":")[0] for file in candidate.files}
    assert kinds["adapter_model.safetensors"] == "sha256"
    assert kinds["adapter_config.json"] == "git"
    write_candidates(tmp_path / "frozen.tsv", [candidate])
    assert read_candidates(tmp_path / "frozen.tsv") == [candidate]


def test_a_repository_under_two_bases_is_one_candidate(world: World, tmp_path: Path) -> None:
    card = {"base_model": [BASE, ALIAS], "library_name": "peft"}
    world.add("a/both", card=card)
    world.add("a/alias", base=ALIAS)
    candidates = world.crawl(tmp_path, aliases=[ALIAS])
    assert [(c.repo_id, c.found) for c in candidates] == [("a/alias", ALIAS), ("a/both", BASE)]


def test_hopeless_listings_cost_no_request(world: World, tmp_path: Path) -> None:
    world.add("a/good")
    world.add("a/readme", {"README.md": b"soon"})
    world.add("a/pickle", {"adapter_config.json": b"{}", "adapter_model.bin": b"x"})
    candidates = world.crawl(tmp_path)
    requests = [line for line in world.hub.requests if "/revision/" in line]
    assert len(requests) == 1
    by_name = {candidate.repo_id: candidate for candidate in candidates}
    assert by_name["a/pickle"].n_files == 2


def test_a_list_of_repositories_with_and_without_commits(world: World, tmp_path: Path) -> None:
    old = world.add("a/pinned", adapter(1))
    world.add("a/pinned", adapter(2, use_dora=True))
    head = world.add("a/head", adapter(3))
    listed = tmp_path / "repos.txt"
    listed.write_text(
        f"# mine\na/pinned@{old}\n\na/head  # the newest\na/never-was\nsingle\na/b/c\n"
    )
    rows = world.pool(tmp_path / "pool", source="repos", repos=str(listed))
    assert {name: (reason(row), row["sha"]) for name, row in rows.items()} == {
        "a/pinned": ("kept", old),
        "a/head": ("kept", head),
        "a/never-was": ("gone", ""),
        "single": ("unsafe_name", ""),
        "a/b/c": ("unsafe_name", ""),
    }
    assert not any("?filter" in line for line in world.hub.requests)


@pytest.mark.parametrize(
    ("repos", "message"),
    [
        (["a/b@main"], "owner/name@<40 hex>"),
        (["a/b", "a/b"], "listed twice"),
        ("missing.txt", "No such file"),
    ],
)
def test_a_wrong_list_is_refused(
    world: World, tmp_path: Path, repos: list[str] | str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        world.crawl(tmp_path, source="repos", repos=repos)


def test_a_local_folder_of_adapters(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for name, files in {
        "good": adapter(1),
        "rslora": adapter(2, use_rslora=True),
        "dora": adapter(3, use_dora=True),
        "copy": adapter(1),
        "owner--name": adapter(5),
        "a name": adapter(4),
        "half": {"adapter_config.json": b"{}"},
        "empty": {},
    }.items():
        (folder / name).mkdir(parents=True)
        for path, content in files.items():
            (folder / name / path).write_bytes(content)
    rows = world.pool(tmp_path / "pool", source="folder", folder=str(folder))
    assert {name: reason(row) for name, row in rows.items()} == {
        "local/good": "duplicate",
        "local/copy": "kept",
        "local/rslora": "kept",
        "local/owner--name": "kept",
        "local/dora": "dora",
        "local/a name": "unsafe_name",
        "local/half": "no_weights",
        "local/empty": "no_weights",
    }
    stored = tmp_path / "pool" / rows["local/copy"]["folder"] / "adapter_model.safetensors"
    assert stored.read_bytes() == adapter(1)["adapter_model.safetensors"]
    assert not any("local" in line for line in world.hub.requests)


def test_a_local_folder_pins_its_contents(world: World, tmp_path: Path) -> None:
    path = tmp_path / "mine" / "one" / "adapter_model.safetensors"
    path.parent.mkdir(parents=True)
    for name, content in adapter(1).items():
        (path.parent / name).write_bytes(content)
    before = from_folder(tmp_path / "mine")
    assert before == from_folder(tmp_path / "mine")
    path.write_bytes(adapter(2)["adapter_model.safetensors"])
    assert before[0].sha != from_folder(tmp_path / "mine")[0].sha
    with pytest.raises(UserError, match=r"one/adapter_model\.safetensors"):
        world.pool(tmp_path / "pool", before, source="folder", folder=str(tmp_path / "mine"))


def test_a_frozen_list_needs_no_hub(tmp_path: Path) -> None:
    candidates = [Candidate("b/b", "1" * 40), Candidate("a/a", "2" * 40)]
    write_candidates(tmp_path / "frozen.tsv", candidates)
    read = find_candidates(
        {"source": "frozen", "candidates": str(tmp_path / "frozen.tsv")},
        BASE,
        endpoint="http://127.0.0.1:1",
        work=tmp_path,
        network=QUICK,
    )
    assert read == candidates[::-1]


@pytest.mark.parametrize(
    ("column", "value"),
    [("downloads", "many"), ("files", "{"), ("private", "maybe"), ("tags", "")],
)
def test_a_spoilt_frozen_list_names_its_row(tmp_path: Path, column: str, value: str) -> None:
    path = tmp_path / "frozen.tsv"
    write_candidates(path, [Candidate("a/a", "2" * 40)])
    with open(path, newline="") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(row), delimiter="\t")
        writer.writeheader()
        writer.writerow({**row, column: value})
    with pytest.raises(UserError, match="row 2"):
        read_candidates(path)


def test_an_unknown_source_is_named(world: World, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pool\.source: 'everything'"):
        world.crawl(tmp_path, source="everything")


@pytest.mark.parametrize("source", ["repos", "folder", "frozen"])
def test_a_source_without_its_key_is_refused(world: World, tmp_path: Path, source: str) -> None:
    key = "candidates" if source == "frozen" else source
    with pytest.raises(UserError, match=rf"pool\.{key}: .*{source}"):
        world.crawl(tmp_path, source=source, **{key: None})


def test_a_base_without_adapters_is_named(world: World, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"base\.repo: .*{BASE}"):
        world.crawl(tmp_path)


def test_hostile_numbers_of_files_and_tags_are_bounded(world: World, tmp_path: Path) -> None:
    files = adapter(1) | {f"adapter_{number:05}.txt": b"" for number in range(3000)}
    tags = [f"{kind}:{'x' * 500}-{number}" for kind in ("a", "license") for number in range(3000)]
    world.add("a/many", files, tags=tags)
    (candidate,) = world.crawl(tmp_path)
    assert candidate.n_files == len(files)
    assert len(candidate.files) == MAX_FILES
    paths = {file.path for file in candidate.files}
    assert {"adapter_config.json", "adapter_model.safetensors"} <= paths
    write_candidates(tmp_path / "frozen.tsv", [candidate])
    assert read_candidates(tmp_path / "frozen.tsv") == [candidate]


def test_strange_text_survives_the_table(tmp_path: Path) -> None:
    odd = Candidate(
        "a/b", "1" * 40, licence='m"i\tt', tags=("a\\b", "é,'", '"'), files=(File("a b", None),)
    )
    write_candidates(tmp_path / "frozen.tsv", [odd])
    assert read_candidates(tmp_path / "frozen.tsv") == [odd]


def test_licences_come_from_the_tags() -> None:
    assert licence_of(["peft", "license:mit", "license:apache-2.0"]) == "apache-2.0,mit"
    assert licence_of(["peft"]) == ""


def test_five_thousand_candidates_are_listed(tmp_path: Path) -> None:
    """Listing and describing at the scale of a popular base; screening is in benchmarks/pool.py."""
    root = tmp_path / "hub"
    card = {"base_model": BASE, "library_name": "peft"}
    shared = adapter(1)
    for number in range(5000):
        files = shared if number % 100 == 0 else {"README.md": b""}
        add_repo(root, "model", f"owner-{number % 70}/a-{number}", files, card=card)
    with Loopback(root) as hub, Client(hub.url, network=Network(timeout=10)) as client:
        with Evidence(tmp_path / "crawl.tsv") as evidence:
            candidates = crawl(client, [BASE], evidence)
        assert len({candidate.repo_id for candidate in candidates}) == 5000
        assert sum("/api/models?" in line for line in hub.requests) == 5
        assert client.requests == 5 + 50
    write_candidates(tmp_path / "candidates.tsv", candidates)
    assert read_candidates(tmp_path / "candidates.tsv") == candidates


def test_evidence_survives_torn_and_damaged_lines(tmp_path: Path) -> None:
    path = tmp_path / "evidence.tsv"
    with Evidence(path) as evidence:
        evidence.put("one", b"1" * 100)
        evidence.put("two", bytes(range(256)))
        evidence.put("one", b"again")
    whole = path.read_bytes()
    for cut in (1, 5, 20):
        path.write_bytes(whole + whole[:-cut][-30:].replace(b"\n", b""))
        with Evidence(path) as evidence:
            assert evidence.get("one") == b"again"
            assert evidence.get("two") == bytes(range(256))
            assert evidence.get("three") is None
            evidence.put("three", b"3")
        with Evidence(path) as evidence:
            assert evidence.get("three") == b"3"
    path.write_bytes(whole.replace(b"two\t", b"two\t!"))
    with Evidence(path) as evidence:
        assert evidence.get("two") is None


def test_a_finished_crawl_removes_its_work_file(world: World, tmp_path: Path) -> None:
    world.add("a/good")
    world.crawl(tmp_path / "work")
    assert os.listdir(tmp_path / "work") == []


def test_tables_of_equal_hubs_are_equal(world: World, tmp_path: Path) -> None:
    for name in ("a/one", "b/two", "c/three"):
        world.add(name)
    texts = []
    for number in range(2):
        write_candidates(tmp_path / f"{number}.tsv", world.crawl(tmp_path / str(number)))
        texts.append((tmp_path / f"{number}.tsv").read_text())
    assert texts[0] == texts[1]
    assert json.loads(texts[0].splitlines()[1].split("\t")[-2].strip('"').replace('""', '"'))
