"""The released tables beside this study's for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from recycling.analysis.markup import write_markdown
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


def write_released_page(path: str | Path, rows: Sequence[Mapping[str, str]]) -> None:
    """rows: as of the TSV. Each kind opens with its mean over the tasks that both have."""
    lines = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        part = [row for row in rows if row["kind"] == kind]
        both = [row for row in part if row["ours"]]
        lines.append(_overall(kind, both, len(part)))
        lines += [
            {
                "kind": "",
                "task": row["task"],
                "released": percent(float(row["released"])),
                "n_released": row["n_released"],
                "ours": percent(float(row["ours"]) if row["ours"] else None),
                "n_ours": row["n_ours"],
                "difference": signed_percent(
                    float(row["difference"]) if row["difference"] else None
                ),
            }
            for row in part
        ]
    write_markdown(path, "The released results and these", HEADS, lines, NOTE)


def _overall(kind: str, both: Sequence[Mapping[str, str]], released: int) -> dict[str, str]:
    line = {"kind": KINDS[kind], "task": f"{len(both)} of {released} tasks here too"}
    if both:
        for name in ("released", "ours"):
            line[name] = percent(fmean(float(row[name]) for row in both))
        line["difference"] = signed_percent(fmean(float(row["difference"]) for row in both))
    return line
