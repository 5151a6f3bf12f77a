"""The ablations of the design, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis import cells
from recycling.analysis.cells import Row
from recycling.analysis.markup import Page
from recycling.analysis.names import TARGETS

HEADS = {
    "axis": "Axis",
    "value": "Value",
    "target": "Target LoRA",
    "k": "K",
    "lr": "Learning rate",
    **cells.COMPARISON,
}
NOTE = (
    f"{cells.PAIRED} Learning rate 'best': for each task and seed the one of least validation loss."
)


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table."""
    lines = [dict(row) | {"target": TARGETS[row["target"]]} | cells.comparison(row) for row in rows]
    return Page("The design, one choice at a time", HEADS, lines, NOTE)
