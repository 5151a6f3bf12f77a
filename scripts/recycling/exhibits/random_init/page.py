"""Recycled minus re-initialised LoRAs, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis import cells
from recycling.analysis.cells import Row
from recycling.analysis.markup import Page
from recycling.exhibits.k_sweep.page import NOTE, sweep_cells

HEADS = {
    "selection": "Selection",
    "target": "Target LoRA",
    "reinit": "Re-initialised",
    "k": "K",
    "n": "Tasks × seeds",
    "difference": "Recycled − re-initialised",
    "interval": "95 % interval",
    "record": "W/T/L",
    "p": "Wilcoxon p (Holm)",
    "reported": "Paper",
}


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table."""
    lines = [
        sweep_cells(row)
        | {
            "reinit": row["reinit"],
            "p": cells.p(row),
            "reported": cells.difference(row, "reported"),
        }
        for row in rows
    ]
    return Page("Recycled minus randomly re-initialised", HEADS, lines, NOTE)
