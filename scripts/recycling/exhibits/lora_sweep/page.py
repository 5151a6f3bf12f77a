"""The search over the target LoRA's hyper-parameters, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis import cells
from recycling.analysis.cells import Row
from recycling.analysis.markup import Page

HEADS = {
    "steps": "Steps",
    "rank": "Rank",
    "lr": "Learning rate",
    "loss": "Validation loss",
    **cells.COMPARISON,
    "configured": "This study's",
}


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table."""
    lines = [
        dict(row) | cells.comparison(row) | {"loss": row["validation_loss"] or "–"} for row in rows
    ]
    return Page("The target LoRA's hyper-parameters", HEADS, lines, cells.PAIRED)
