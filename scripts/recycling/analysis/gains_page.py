"""The gains of single pool adapters for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recycling.analysis.markup import write_markdown
from recycling.analysis.numbers import percent, signed_percent

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
    "that selection looks at. A number in brackets: so many other adapters share the best score. "
    "The best of many on few examples is best by luck too, so its gain is too high."
)
UNSEEN = (
    " The last two columns choose the best by the {chosen} examples and show its gain there and on "
    "the {seen} examples, which did not choose it (of adapters that tie, the mean)."
)


def write_gains_page(path: str | Path, rows: Sequence[Mapping[str, str]]) -> None:
    """rows: as of the TSV."""
    lines = [
        {
            "task": row["task"],
            "base": percent(float(row["base"])),
            "counts": f"{row['better']}/{row['equal']}/{row['worse']}",
            "best_repo_id": _best(row),
            **{
                name: signed_percent(float(row[name]) if row[name] else None)
                for name in ("middle", "best", "chosen_gain", "seen_gain")
            },
        }
        for row in rows
    ]
    note = NOTE
    if rows[0]["seen_on"]:
        chosen, seen = rows[0]["chosen_on"].replace("+", " and "), rows[0]["seen_on"]
        note += UNSEEN.format(chosen=chosen, seen=seen)
    write_markdown(path, "What single adapters add to the base", HEADS, lines, note)


def _best(row: Mapping[str, str]) -> str:
    others = int(row["n_best"]) - 1
    return f"{row['best_repo_id']} ({others})" if others else row["best_repo_id"]
