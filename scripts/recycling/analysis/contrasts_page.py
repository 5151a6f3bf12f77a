"""The contrasts of a study for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recycling.analysis.markup import write_markdown
from recycling.analysis.numbers import p_value, percent_interval, signed_percent

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
    "Differences in percentage points, paired by task and seed; 95 % intervals by the hierarchical "
    "bootstrap over tasks and seeds within tasks. Wilcoxon signed-rank over tasks with Holm's "
    "correction within a group; TOST: two one-sided t-tests that the difference is in the margin. "
    "Paper: the difference of the figures that it reports, second-hand."
)


def write_contrasts_page(path: str | Path, rows: Sequence[Mapping[str, str]]) -> None:
    """rows: as of the TSV."""
    lines = [
        {
            "effect_is": row["effect_is"],
            "group": row["group"].replace("_", " "),
            "difference": signed_percent(_number(row["difference"])),
            "interval": percent_interval(
                _number(row["difference_low"]), _number(row["difference_high"])
            ),
            "n": f"{row['n_tasks']} × {row['n_seeds']}",
            "record": f"{row['wins']}/{row['ties']}/{row['losses']}",
            "p": p_value(_number(row["wilcoxon_p_holm"])),
            "tost": p_value(_number(row["tost_p"])),
            "reported": signed_percent(_number(row["reported"])),
        }
        for row in rows
    ]
    write_markdown(path, "Contrasts beyond the claims", HEADS, lines, NOTE)


def _number(text: str) -> float | None:
    return float(text) if text else None
