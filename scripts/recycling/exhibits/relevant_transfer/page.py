"""Transfer from relevant LoRAs, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis.cells import Row
from recycling.analysis.markup import Page
from recycling.exhibits.k_sweep.page import HEADS, NOTE, sweep_cells


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table."""
    title = "Transfer from highly relevant LoRAs"
    return Page(title, HEADS, [sweep_cells(row) for row in rows], NOTE)
