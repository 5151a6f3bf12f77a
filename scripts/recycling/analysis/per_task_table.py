"""Accuracy of every task by every row of the main table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from recycling.analysis.main_table import EXPERIMENTS, ROW
from recycling.analysis.markup import write_markdown
from recycling.analysis.names import run_label
from recycling.analysis.numbers import exact, percent
from recycling.analysis.runs import Missing, pick

COLUMNS = ("task", "majority", "n_test", *ROW, "accuracy", "seed_sd", "n_seeds")
NOTE = (
    "Accuracy in %, mean over seeds. + : with the target LoRA in the pool. Majority: accuracy of "
    "always answering the most frequent training label."
)


def per_task_table(
    runs: pd.DataFrame, main_rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row a task and row of the main table. seed_sd: standard deviation over seeds (n - 1)."""
    runs = runs[(runs["reinit"] == "none") & (runs["skip"] == 0)]
    rows = []
    for main_row in main_rows:
        where = {name: main_row[name] for name in ROW} | {"k": int(main_row["k"])}
        try:
            chosen = pick(runs, where, EXPERIMENTS)
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


def write_per_task_page(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Markdown: tasks by methods, best first; rows: as of the TSV."""
    names = list(dict.fromkeys(_name(row) for row in rows))
    heads = {"task": "Task", "majority": "Majority", **{name: name for name in names}}
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        line = lines.setdefault(
            row["task"], {"task": row["task"], "majority": percent(float(row["majority"] or "nan"))}
        )
        line[_name(row)] = percent(float(row["accuracy"]))
    write_markdown(path, "Accuracy by task", heads, list(lines.values()), NOTE)


def _name(row: Mapping[str, Any]) -> str:
    label = run_label(row["method"], row["selection"], int(row["k"]), row["target"])
    merged_with = row["target"] == "with" and row["method"] != "target_lora" and int(row["k"]) != 1
    return f"{label} +" if merged_with else label
