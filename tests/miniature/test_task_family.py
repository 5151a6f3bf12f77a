"""The small world's tasks, the rule that chooses targets, and the files that it produced."""

from pathlib import Path

import pytest
import yaml

from recycling.miniature import datasets, language, targets, targets_page, task_family
from recycling.miniature.task_family import task_name
from recycling.tasks.spec import load_spec

ROOT = Path(__file__).parents[2]
TASKS = ROOT / "studies" / "miniature" / "tasks"
PAGE = ROOT / "docs" / "miniature_targets.md"


def test_no_candidate_was_seen_in_pre_training_or_used_for_settings() -> None:
    seen, _ = language.split_questions()
    candidates = task_family.candidates()
    meanings = {question.meaning for question in candidates}
    assert len(meanings) == len(candidates) == 32
    assert meanings.isdisjoint(question.meaning for question in seen)
    assert meanings.isdisjoint(question.meaning for question in task_family.development())


def test_a_swap_changes_every_answer() -> None:
    swapped = [question for question in task_family.candidates() if question.relabel]
    assert len(swapped) == 8
    for question in swapped:
        assert sorted(question.relabel) == sorted(question.relabel.values())
        assert all(old != new for old, new in question.relabel.items())


def test_siblings_share_the_open_slot_and_nothing_else() -> None:
    vague = [question for question in task_family.candidates() if question.vague]
    chosen = [vague[0], vague[5], vague[-1], vague[-2]]
    siblings = task_family.siblings(chosen, 4)
    for target, sibling in zip(chosen, siblings, strict=True):
        same = {
            slot for slot in task_family.SLOTS if getattr(target, slot) == getattr(sibling, slot)
        }
        assert same == target.vague == sibling.vague
    assert {q.meaning for q in siblings}.isdisjoint(q.meaning for q in task_family.candidates())


def test_questions_by_name() -> None:
    known = task_family.by_name()
    for question in (*task_family.candidates(), *task_family.siblings(task_family.candidates(), 4)):
        assert known[task_name(question)] == question


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ((0.2, 0.4, 0.8), ""),
        ((0.2, 0.24, 0.8), "base not above majority"),
        ((0.2, 0.4, 0.49), "LoRA gains too little"),
        ((0.2, 0.4, 0.97), "LoRA above the ceiling"),
    ],
)
def test_the_rule_for_a_vague_target(numbers: tuple[float, ...], reason: str) -> None:
    row = dict(zip(("majority", "base", "lora"), numbers, strict=True))
    assert targets.verdict(task_family.candidates()[0], row) == reason


def test_the_rule_takes_the_first_that_fit_and_spreads_over_slots() -> None:
    good = {"majority": 0.2, "base": 0.4, "lora": 0.8}
    candidates = task_family.candidates()
    means = {task_name(q): good | ({"base": 0.1} if q.relabel else {}) for q in candidates}
    verdicts = targets.choose(candidates, means)
    chosen = [question for question in candidates if verdicts[task_name(question)] == "chosen"]
    slots = [next(iter(question.vague), "swapped") for question in chosen]
    assert slots == ["filter"] * 3 + ["selection"] * 3 + ["swapped"] * 2
    assert chosen[0] == candidates[0]


def test_task_files_match_their_questions() -> None:
    files = sorted(TASKS.glob("*.yaml"))
    known = task_family.by_name()
    assert len(files) >= 6
    for file in files:
        question = known[file.stem]
        assert yaml.safe_load(file.read_text()) == datasets.task_file(question)
        spec = load_spec(file)
        assert spec.instruction == question.instruction
        assert spec.source.path == f"smallworld/{file.stem}"
    targets_on_file = [
        known[file.stem] for file in files if known[file.stem] in task_family.candidates()
    ]
    assert sum(bool(question.vague) for question in targets_on_file) > len(targets_on_file) / 2


def test_the_page_names_the_task_files() -> None:
    lines = PAGE.read_text().splitlines()
    chosen = [line.split(" | ")[0].removeprefix("| ") for line in lines if "| chosen |" in line]
    chosen = [name for name in chosen if not name.startswith("lr ")]
    known = task_family.by_name()
    siblings = task_family.siblings([known[name] for name in chosen], targets.SIBLINGS)
    names = [*chosen, *map(task_name, siblings)]
    assert sorted(names) == sorted(file.stem for file in TASKS.glob("*.yaml"))
    assert [line[2:] for line in lines if line.startswith("- ")] == names[len(chosen) :]


def test_the_page_has_the_verdicts_of_the_rule() -> None:
    """The rule, applied to the numbers on the page, gives the verdicts on the page."""
    rows = {}
    for line in PAGE.read_text().splitlines():
        cells = line.strip("| ").split(" | ")
        if len(cells) == 5 and cells[1].startswith("0."):
            rows[cells[0]] = cells[1:]
    candidates = task_family.candidates()
    assert list(rows) == [task_name(question) for question in candidates]
    keys = ("majority", "base", "lora")
    means = {n: dict(zip(keys, map(float, cells[:3]), strict=True)) for n, cells in rows.items()}
    assert targets.choose(candidates, means) == {name: cells[3] for name, cells in rows.items()}
    search = {"a": {"validation_loss": 0.5, "best_step": 10.0}}
    page = targets_page.page(search, "a", means, dict.fromkeys(means, "chosen"), candidates[:1])
    assert f"- {task_name(candidates[0])}" in page
    assert all(f"| {name} |" in page for name in means)


def test_published_splits_share_no_list_of_words() -> None:
    for question in task_family.candidates()[11:13] + task_family.candidates()[-1:]:
        parts = datasets.splits(question)
        words = [row["words"] for rows in parts.values() for row in rows]
        assert len(words) == len(set(words))
        assert len(parts["train"]) >= 3000
