"""The released tables beside this study's, formatted for the report."""

from collections.abc import Sequence
from statistics import fmean

from recycling.analysis import cells
from recycling.analysis.cells import Row
from recycling.analysis.markup import Page
from recycling.analysis.numbers import percent, signed_percent
from recycling.analysis.released_results import KINDS

HEADS = {
    "kind": "What",
    "task": "Task",
    "released": "Released (%)",
    "n_released": "n",
    "ours": "Here (%)",
    "n_ours": "n",
    "difference": "Here − released",
}
NOTE = (
    "Exact match, means over adapters (of a pool) or over seeds and runs (n of them); differences "
    "in percentage points. Base, pool and examples may differ from the released study's: see the "
    "settings on the front page. Known faults of the released columns are corrected by name."
)


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table. Each kind opens with its mean over the tasks that both have."""
    lines = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        part = [row for row in rows if row["kind"] == kind]
        shared = [row for row in part if row["ours"]]
        lines.append(_overall(kind, shared, len(part)))
        lines += [
            {
                "kind": "",
                "task": row["task"],
                "released": cells.accuracy(row, "released"),
                "n_released": row["n_released"],
                "ours": cells.accuracy(row, "ours"),
                "n_ours": row["n_ours"],
                "difference": cells.difference(row),
            }
            for row in part
        ]
    return Page("The released results and these", HEADS, lines, NOTE)


def _overall(kind: str, shared: Sequence[Row], released: int) -> dict[str, str]:
    line = {"kind": KINDS[kind], "task": f"{len(shared)} of {released} tasks here too"}
    if shared:
        for name in ("released", "ours"):
            line[name] = percent(fmean(float(row[name]) for row in shared))
        line["difference"] = signed_percent(fmean(float(row["difference"]) for row in shared))
    return line
