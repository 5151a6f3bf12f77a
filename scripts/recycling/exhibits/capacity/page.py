"""Recycled adapters against mere capacity, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis import cells
from recycling.analysis.cells import Row
from recycling.analysis.markup import Page

HEADS = {"series": "Adapters beside the target LoRA", "k": "K", **cells.COMPARISON}


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table."""
    lines = [dict(row) | cells.comparison(row) for row in rows]
    return Page("Recycled adapters against mere capacity", HEADS, lines, cells.PAIRED)
