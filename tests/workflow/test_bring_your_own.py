"""What docs/bring_your_own.md says, done to the letter."""

import csv
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("workflow")
PAGE = Path(__file__).resolve().parents[2] / "docs/bring_your_own.md"


@pytest.fixture(scope="module")
def checkout(finished, tmp_path_factory):
    """A checkout in which somebody has followed the page."""
    checkout = finished.copy(tmp_path_factory.mktemp("mine") / "checkout")
    text = PAGE.read_text(encoding="utf-8")
    files = re.findall(r"^`([^`]+)`:\n\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(files) == 11
    for name, content in files:
        path = checkout.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (commands,) = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    checkout.shell(commands)
    return checkout


@pytest.fixture(scope="module")
def followed(checkout):
    """The results of the study."""
    return checkout.root / "results/mine"


def test_own_base_pool_task_and_methods_make_a_study(followed):
    with open(followed / "runs.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["task"] for row in rows} == {"last"} and {row["n_test"] for row in rows} == {"200"}
    columns = ("method", "target", "selection", "reinit")
    assert {tuple(row[column] for column in columns) for row in rows} == {
        ("zero_shot", "without", "", "none"),
        ("target_lora", "with", "", "none"),
        *(
            (method, target, "evaluation", "none")
            for method in ("greatest", "greedy", "ours")
            for target in ("without", "with")
        ),
        ("greatest", "without", "frugal", "none"),
        ("greatest", "with", "frugal", "none"),
        ("ours", "with", "evaluation", "shuffled"),
    }
    accuracy = {row["method"]: float(row["accuracy"]) for row in rows if not row["selection"]}
    assert accuracy["target_lora"] > accuracy["zero_shot"]
    assert (followed / "report.html").stat().st_size > 0


def test_an_own_selection_orders_the_pool(followed):
    with open(followed / "selections/hub/last.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with open(followed / "pool/pool.tsv", newline="") as file:
        ranks = {row["repo_id"]: float(row["rank"]) for row in csv.DictReader(file, delimiter="\t")}
    scores = {
        selection: {
            row["repo_id"]: float(row["score"]) for row in rows if row["selection"] == selection
        }
        for selection in ("evaluation", "frugal")
    }
    assert scores["frugal"] == {
        name: pytest.approx(score - 0.005 * ranks[name])
        for name, score in scores["evaluation"].items()
    }


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("greatest", {"merges": 1}),
        ("greedy", {"adaptive_merges": 1}),
        ("shuffled", {"adaptive_merges": 1}),
        ("frugal", {"selections": 1, "merges": 1, "adaptive_merges": 2}),
    ],
)
def test_an_edit_of_an_own_file_recomputes_its_runs(checkout, name, jobs):
    path = checkout.root / f"studies/mine/{name}.py"
    before = path.read_text()
    command = "snakemake --dry-run --quiet rules --cores 1 --configfile studies/mine.yaml"
    path.write_text(f"{before}\n# Words alone change nothing.\n")
    words = checkout.shell(command)
    path.write_text(f"{before}\nADDED = 1\n")
    text = checkout.shell(command)
    path.write_text(before)
    table = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)}
    computing = ("pool", "scores", "similarity", "selections", "zero_shot", "loras", "merges")
    planned = {rule: table[rule] for rule in (*computing, "adaptive_merges") if rule in table}
    assert planned == jobs
    assert "merges" not in words and "selections" not in words


def test_own_adapters_are_the_pool(followed):
    with open(followed / "pool/pool.tsv", newline="") as file:
        names = {row["repo_id"] for row in csv.DictReader(file, delimiter="\t")}
    folder = followed.parent / "miniature/world/adapters/0"
    assert names == {f"local/{path.name}" for path in folder.iterdir() if path.is_dir()}


def test_an_own_table_is_in_the_report(followed):
    with open(followed / "tables/best_run.tsv", newline="") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    with open(followed / "runs.tsv", newline="") as file:
        best = max(float(run["accuracy"]) for run in csv.DictReader(file, delimiter="\t"))
    assert row["task"] == "last" and float(row["accuracy"]) == pytest.approx(best)
    assert "best_run" in (followed / "report.html").read_text(encoding="utf-8")
