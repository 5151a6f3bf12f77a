"""The sweep tables for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recycling.analysis.markup import write_markdown
from recycling.analysis.names import TARGETS, method_label, reinit_label, selection_label
from recycling.analysis.numbers import p_value, percent, percent_interval, signed_percent

SWEEP_HEADS = {
    "name": "Method",
    "pool": "Pool",
    "selection": "Selection",
    "reinit": "Weights",
    "target": "Target LoRA",
    "k": "K",
    "skip": "Skipped",
    "n": "Tasks × seeds",
    "accuracy": "Accuracy (%)",
    "difference": "− target LoRA",
    "interval": "95 % interval",
    "record": "W/T/L",
    "reported": "Paper",
}
REINIT_HEADS = {
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
NOTE = (
    "Differences in percentage points, paired by task and seed; 95 % intervals by the hierarchical "
    "bootstrap over tasks and seeds within tasks. Paper: the figure that it reports "
    "for its largest K, second-hand."
)


def write_sweep_page(path: str | Path, title: str, rows: Sequence[Mapping[str, str]]) -> None:
    """rows: as of the sweep's TSV."""
    write_markdown(path, title, SWEEP_HEADS, [_shown(row) for row in rows], NOTE)


def write_reinit_page(path: str | Path, rows: Sequence[Mapping[str, str]]) -> None:
    """rows: as of the TSV of recycled minus re-initialised."""
    lines = [
        _shown(row)
        | {
            "reinit": row["reinit"],
            "p": p_value(_number(row["wilcoxon_p_holm"])),
            "reported": signed_percent(_number(row["reported"])),
        }
        for row in rows
    ]
    write_markdown(path, "Recycled minus randomly re-initialised", REINIT_HEADS, lines, NOTE)


def _shown(row: Mapping[str, str]) -> dict[str, str]:
    low, high = _number(row["difference_low"]), _number(row["difference_high"])
    merged = bool(row["selection"])
    return {
        "name": method_label(row.get("method", "")),
        "pool": row.get("pool", ""),
        "selection": selection_label(row["selection"]) if merged else "",
        "reinit": reinit_label(row["reinit"]) if merged else "",
        "target": TARGETS[row["target"]],
        "k": row["k"] if row["k"] != "0" else "",
        "skip": row.get("skip", "") if merged else "",
        "n": f"{row['n_tasks']} × {row['n_seeds']}",
        "accuracy": percent(_number(row.get("accuracy", ""))),
        "reported": percent(_number(row["reported"])),
        "difference": signed_percent(_number(row["difference"])),
        "interval": percent_interval(low, high),
        "record": f"{row['wins']}/{row['ties']}/{row['losses']}" if row["wins"] else "",
    }


def _number(text: str) -> float | None:
    return float(text) if text else None
