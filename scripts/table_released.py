"""Result tables that the paper's authors released, beside this study's."""

from pathlib import Path

import pandas as pd

from job import Job, listed, run
from recycling.analysis.released_page import write_released_page
from recycling.analysis.released_results import COLUMNS, load_released, released_table
from recycling.analysis.runs import fitting, load_runs
from recycling.files import read_tsv, write_tsv
from recycling.select.evaluation import BASE, pooled


def main(job: Job) -> None:
    settings = job.params["settings"]
    known = sorted(
        {*settings["tasks"], *(path.stem for path in Path("resources/tasks").glob("*.yaml"))}
    )
    released = {
        kind: load_released(path, kind, known)
        for kind, path in zip(settings["kinds"], listed(job.input.released), strict=True)
    }
    scores = [row for path in listed(job.input.scores) for row in read_tsv(path)]
    runs = load_runs(job.input.runs)
    ours = {
        "pool": pool(scores, settings["splits"]),
        "pool_test": pool([row for row in scores if row["test"]], ["test"]),
        **{kind: method(runs, kind) for kind in ("zero_shot", "target_lora")},
    }
    write_tsv(job.output.tsv, COLUMNS, released_table(released, ours))
    write_released_page(job.output.markdown, read_tsv(job.output.tsv))


def pool(scores: list[dict[str, str]], splits: list[str]) -> dict[str, list[float]]:
    """task -> the accuracies of the pool's adapters."""
    found: dict[str, list[float]] = {}
    for row in scores:
        if row["repo_id"] != BASE:
            found.setdefault(row["task"], []).append(pooled(row, splits))
    return found


def method(runs: pd.DataFrame, name: str) -> dict[str, list[float]]:
    """task -> the accuracies of a method's runs, one a seed."""
    own = runs[fitting(runs, {"method": name})].drop_duplicates("key")
    return {task: part["accuracy"].tolist() for task, part in own.groupby("task")}


if __name__ == "__main__":
    run(main)
