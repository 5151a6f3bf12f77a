"""What docs/bring_your_own.md says, done to the letter."""

import csv
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("workflow")
PAGE = Path(__file__).resolve().parents[2] / "docs/bring_your_own.md"


@pytest.fixture(scope="module")
def followed(finished, tmp_path_factory):
    """A checkout in which somebody has followed the page."""
    checkout = finished.copy(tmp_path_factory.mktemp("mine") / "checkout")
    text = PAGE.read_text(encoding="utf-8")
    files = re.findall(r"^`([^`]+)`:\n\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(files) == 9
    for name, content in files:
        path = checkout.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (commands,) = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    checkout.shell(commands)
    return checkout.root / "results/mine"


def test_own_base_pool_task_and_methods_make_a_study(followed):
    with open(followed / "runs.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["task"] for row in rows} == {"last"} and {row["n_test"] for row in rows} == {"200"}
    seen = {(row["method"], row["target"]) for row in rows}
    assert seen == {("zero_shot", "without"), ("target_lora", "with")} | {
        (method, target)
        for method in ("greatest", "greedy", "ours")
        for target in ("without", "with")
    }
    by_method = {(row["method"], row["target"]): float(row["accuracy"]) for row in rows}
    assert by_method["target_lora", "with"] > by_method["zero_shot", "without"]
    assert (followed / "report.html").stat().st_size > 0


def test_own_adapters_are_the_pool(followed):
    with open(followed / "pool/pool.tsv", newline="") as file:
        names = {row["repo_id"] for row in csv.DictReader(file, delimiter="\t")}
    folder = followed.parent / "miniature/world/adapters/0"
    assert names == {f"local/{path.name}" for path in folder.iterdir() if path.is_dir()}


def test_an_own_table_is_in_the_report(followed):
    with open(followed / "tables/best_method.tsv", newline="") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    with open(followed / "runs.tsv", newline="") as file:
        best = max(float(run["accuracy"]) for run in csv.DictReader(file, delimiter="\t"))
    assert row["task"] == "last" and float(row["accuracy"]) == pytest.approx(best)
    assert "best_method" in (followed / "report.html").read_text(encoding="utf-8")
