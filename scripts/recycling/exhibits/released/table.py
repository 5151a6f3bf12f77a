"""Result tables that the paper's authors released, beside this study's."""

from pathlib import Path
from typing import Any

import pandas as pd

from recycling.analysis.released_results import COLUMNS as COLUMNS
from recycling.analysis.released_results import load_released, released_table
from recycling.analysis.runs import fitting, load_runs
from recycling.exhibits.source import Source
from recycling.files import read_tsv
from recycling.select.evaluation import BASE, pooled


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    settings = source.settings
    known = sorted(
        {*settings["tasks"], *(path.stem for path in Path("resources/tasks").glob("*.yaml"))}
    )
    released = {
        kind: load_released(path, kind, known)
        for kind, path in zip(settings["kinds"], source.paths("released"), strict=True)
    }
    scores = [row for path in source.paths("scores") for row in read_tsv(path)]
    runs = load_runs(source.inputs["runs"])
    ours = {
        "pool": pool_accuracies(scores, settings["splits"]),
        "pool_test": pool_accuracies([row for row in scores if row["test"]], ["test"]),
        **{kind: method_accuracies(runs, kind) for kind in ("zero_shot", "target_lora")},
    }
    return released_table(released, ours)


def pool_accuracies(scores: list[dict[str, str]], splits: list[str]) -> dict[str, list[float]]:
    """task -> the accuracies of the pool's adapters."""
    accuracies: dict[str, list[float]] = {}
    for row in scores:
        if row["repo_id"] != BASE:
            accuracies.setdefault(row["task"], []).append(pooled(row, splits))
    return accuracies


def method_accuracies(runs: pd.DataFrame, method: str) -> dict[str, list[float]]:
    """task -> the accuracies of a method's runs, one per seed."""
    own = runs[fitting(runs, {"method": method})].drop_duplicates("key")
    return {str(task): part["accuracy"].tolist() for task, part in own.groupby("task")}
