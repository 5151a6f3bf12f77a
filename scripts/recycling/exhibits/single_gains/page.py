"""The gains of single pool adapters, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis import cells
from recycling.analysis.cells import Row
from recycling.analysis.markup import Page

HEADS = {
    "task": "Task",
    "base": "Base (%)",
    "counts": "Better/equal/worse",
    "middle": "Median gain",
    "best": "Best gain",
    "best_repo_id": "Best adapter",
    "chosen_gain": "Best where chosen",
    "seen_gain": "Same, unseen",
}
NOTE = (
    "Gains in percentage points of exact match over the base without an adapter, on the examples "
    "that selection uses. A number in brackets: so many other adapters share the best score. "
    "The best of many on few examples is best by luck too, so its gain is too high."
)
UNSEEN = (
    " The last two columns choose the best by the {chosen} examples and show its gain there and on "
    "the {seen} examples, which did not choose it (of adapters that tie, the mean)."
)


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table."""
    lines = [
        {
            "task": row["task"],
            "base": cells.accuracy(row, "base"),
            "counts": f"{row['better']}/{row['equal']}/{row['worse']}",
            "best_repo_id": _best(row),
            **{
                name: cells.difference(row, name)
                for name in ("middle", "best", "chosen_gain", "seen_gain")
            },
        }
        for row in rows
    ]
    note = NOTE
    if rows[0]["seen_on"]:
        chosen, seen = rows[0]["chosen_on"].replace("+", " and "), rows[0]["seen_on"]
        note += UNSEEN.format(chosen=chosen, seen=seen)
    return Page("What single adapters add to the base", HEADS, lines, note)


def _best(row: Row) -> str:
    others = int(row["n_best"]) - 1
    return f"{row['best_repo_id']} ({others})" if others else row["best_repo_id"]
