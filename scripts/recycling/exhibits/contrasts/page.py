"""The contrasts of a study, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis import cells
from recycling.analysis.cells import Row
from recycling.analysis.markup import Page

HEADS = {
    "effect_is": "Contrast",
    "group": "Group",
    "difference": "Difference",
    "interval": "95 % interval",
    "n": "Tasks × seeds",
    "record": "W/T/L",
    "p": "Wilcoxon p (Holm)",
    "tost": "TOST p",
    "reported": "Paper",
}
NOTE = (
    f"{cells.PAIRED} Wilcoxon signed-rank over tasks with Holm's "
    "correction within a group; TOST: two one-sided t-tests that the difference is in the margin. "
    "Paper: the difference of the figures that it reports, second-hand."
)


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table."""
    lines = [
        {
            **cells.comparison(row),
            "effect_is": row["effect_is"],
            "group": row["group"].replace("_", " "),
            "p": cells.p(row),
            "tost": cells.p(row, "tost_p"),
            "reported": cells.difference(row, "reported"),
        }
        for row in rows
    ]
    return Page("Contrasts beyond the claims", HEADS, lines, NOTE)
