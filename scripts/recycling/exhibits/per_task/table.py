"""Accuracy of every task by every row of the main table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from recycling.analysis.numbers import exact
from recycling.analysis.runs import Missing, load_runs, pick
from recycling.exhibits.main.table import ROW, rows_experiments
from recycling.exhibits.source import Source
from recycling.files import read_tsv

COLUMNS = ("task", "majority", "n_test", *ROW, "accuracy", "seed_sd", "n_seeds")


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return per_task_table(load_runs(source.inputs["runs"]), read_tsv(source.inputs["main"]))


def per_task_table(
    runs: pd.DataFrame, main_rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row per task and row of the main table. seed_sd: sample standard deviation over seeds."""
    experiments = rows_experiments(runs)
    runs = runs[(runs["reinit"] == "none") & (runs["skip"] == 0)]
    rows = []
    for main_row in main_rows:
        where = {name: main_row[name] for name in ROW} | {"k": int(main_row["k"])}
        try:
            chosen = pick(runs, where, experiments)
        except Missing as missing:
            print(f"left out of the per-task table: {missing}")
            continue
        for task, part in chosen.groupby("task"):
            rows.append(
                {
                    "task": task,
                    "majority": exact(float(part["majority"].iloc[0])),
                    "n_test": part["n_test"].iloc[0],
                    **where,
                    "accuracy": exact(float(part["accuracy"].mean())),
                    "seed_sd": exact(float(part["accuracy"].std(ddof=1))),
                    "n_seeds": len(part),
                }
            )
    return sorted(rows, key=lambda row: row["task"])
