"""The study end to end, in a checkout of its own."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("workflow")
RESULTS = Path("results/miniature")


def table(checkout, name):
    with open(checkout.root / RESULTS / name, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def timeless(rows):
    times = ("seconds", "finished")
    return [{key: value for key, value in row.items() if key not in times} for row in rows]


def test_everything_is_made_and_nothing_is_left_to_do(finished):
    for name in ("runs.tsv", "claims.json", "report.html", "figures/main.svg", "figures/main.png"):
        assert (finished.root / RESULTS / name).stat().st_size > 0
    assert finished.planned() == {}


def left_to_do(checkout):
    """part -> jobs left, jobs, runs left, runs, as `snakemake plan` prints them."""
    text = checkout.snakemake("--quiet", "all", "--nolock", "plan").stdout
    rows = re.findall(r"^(\w[\w ]*?) +([\d,]+) +([\d,]+) +([\d,]+) +([\d,]+) ", text, re.MULTILINE)
    return {name: tuple(int(n.replace(",", "")) for n in counts) for name, *counts in rows}


def test_a_plan_counts_what_is_done_and_what_the_store_has(fresh, finished, tmp_path):
    before, after = left_to_do(fresh), left_to_do(finished)
    assert before["main"][0] == before["main"][1] > 0 and before["main"][2] == before["main"][3] > 0
    assert (
        {counts[0] for counts in after.values()} == {counts[2] for counts in after.values()} == {0}
    )
    assert all(after[name][1::2] == before[name][1::2] for name in ("main", "random_init"))
    checkout = finished.copy(tmp_path / "checkout")
    (path,) = (checkout.root / RESULTS / "runs/main/ours").glob("*.jsonl")
    path.unlink()
    assert left_to_do(checkout)["main"][:3:2] == (1, 0)


def test_every_candidate_is_kept_or_rejected_once(finished):
    candidates = [row["repo_id"] for row in table(finished, "pool/candidates.tsv")]
    kept = [row["repo_id"] for row in table(finished, "pool/pool.tsv")]
    rejected = table(finished, "pool/rejected.tsv")
    assert sorted(kept + [row["repo_id"] for row in rejected]) == sorted(candidates)
    assert len(set(candidates)) == len(candidates)
    assert all(row["reason"] and row["detail"] for row in rejected)


def test_runs_have_measured_numbers(finished):
    rows = table(finished, "runs.tsv")
    assert {row["experiment"] for row in rows} >= {"main", "random_init", "relevant_transfer"}
    assert all(0 <= float(row["accuracy"]) <= 1 for row in rows)
    with_steps = [row for row in rows if row["method"] in ("ours", "target_lora")]
    assert all(row["best_step"] != "" and row["validation_loss"] != "" for row in with_steps)


def test_a_run_that_experiments_share_is_one_run(finished):
    rows = [row for row in table(finished, "runs.tsv") if row["method"] == "ours"]
    names = ("method", "pool", "selection", "k", "skip", "target", "reinit", "seed", "task")
    keys = {}
    for row in rows:
        keys.setdefault(tuple(row[name] for name in names), set()).add(row["key"])
    assert all(len(found) == 1 for found in keys.values())
    assert len(keys) < len(rows)


def test_touches_comments_and_formatting_rerun_nothing(finished, tmp_path):
    checkout = finished.copy(tmp_path / "checkout")
    library = checkout.root / "scripts/recycling"
    for path in [*library.rglob("*.py"), *(checkout.root / "scripts").glob("*.py")]:
        path.touch()
    for path in (checkout.root / "Snakefile", checkout.root / "config.yaml"):
        path.touch()
    average = library / "merge/average.py"
    average.write_text("# A remark.\n" + average.read_text().replace('"""', '"""Indeed. ', 1))
    assert checkout.planned() == {}


def test_an_exported_merge_answers_the_same_in_plain_peft(finished):
    folder = finished.root / RESULTS / "export/ours"
    facts = json.loads((folder / "merge.json").read_text())
    command = [sys.executable, Path(__file__).with_name("plain_peft.py"), finished.root, folder]
    done = subprocess.run(command, capture_output=True, text=True, cwd=finished.root)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == pytest.approx(facts["accuracy"])


def test_a_job_can_be_done_again_by_hand(finished, tmp_path):
    checkout = finished.copy(tmp_path / "checkout")
    selections = checkout.root / RESULTS / "selections/hub"
    path = min(selections.glob("*.tsv"))
    before = path.read_bytes()
    path.unlink()
    orders = RESULTS / "logs/selections/hub" / f"{path.stem}.json"
    command = [sys.executable, "scripts/selections.py", str(orders)]
    subprocess.run(command, cwd=checkout.root, check=True)
    assert path.read_bytes() == before
