"""Accuracy of every task as people read it: tasks by methods."""

from collections.abc import Sequence

from recycling.analysis import cells
from recycling.analysis.cells import Row
from recycling.analysis.markup import Page
from recycling.analysis.names import run_label

NOTE = (
    "Accuracy in %, mean over seeds. + : with the target LoRA in the pool. Majority: accuracy of "
    "always answering the most frequent training label."
)


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table. One line per task, one column per row of the main table."""
    names = list(dict.fromkeys(_name(row) for row in rows))
    heads = {"task": "Task", "majority": "Majority", **{name: name for name in names}}
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        majority = cells.accuracy(row, "majority")
        line = lines.setdefault(row["task"], {"task": row["task"], "majority": majority})
        line[_name(row)] = cells.accuracy(row)
    return Page("Accuracy by task", heads, list(lines.values()), NOTE)


def _name(row: Row) -> str:
    label = run_label(row["method"], row["selection"], int(row["k"]), row["target"])
    merged_with = row["target"] == "with" and row["method"] != "target_lora" and int(row["k"]) != 1
    return f"{label} +" if merged_with else label
