"""The tables of ablations, of the search and of capacity for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recycling.analysis.markup import write_markdown
from recycling.analysis.names import TARGETS
from recycling.analysis.numbers import percent, percent_interval, signed_percent

NUMBERS = {
    "n": "Tasks × seeds",
    "accuracy": "Accuracy (%)",
    "difference": "− target LoRA",
    "interval": "95 % interval",
    "record": "W/T/L",
}
NOTE = (
    "Differences in percentage points from the target LoRA as configured, paired by task and seed; "
    "95 % intervals by the hierarchical bootstrap over tasks and seeds within tasks."
)


def write_design_page(path: str | Path, rows: Sequence[Mapping[str, str]]) -> None:
    """rows: as of the TSV of the design."""
    heads = {"axis": "Axis", "value": "Value", "target": "Target LoRA", "k": "K",
             "lr": "Learning rate"} | NUMBERS  # fmt: skip
    best = " Learning rate 'best': for each task and seed the one of least validation loss."
    lines = [dict(row) | {"target": TARGETS[row["target"]]} | _numbers(row) for row in rows]
    write_markdown(path, "The design, one choice at a time", heads, lines, NOTE + best)


def write_lora_sweep_page(path: str | Path, rows: Sequence[Mapping[str, str]]) -> None:
    """rows: as of the TSV of the search."""
    heads = {"steps": "Steps", "rank": "Rank", "lr": "Learning rate", "loss": "Validation loss",
             **NUMBERS, "configured": "This study's"}  # fmt: skip
    lines = [dict(row) | _numbers(row) | {"loss": row["validation_loss"] or "–"} for row in rows]
    write_markdown(path, "The target LoRA's hyper-parameters", heads, lines, NOTE)


def write_capacity_page(path: str | Path, rows: Sequence[Mapping[str, str]]) -> None:
    """rows: as of the TSV of capacity."""
    heads = {"series": "Adapters beside the target LoRA", "k": "K"} | NUMBERS
    lines = [dict(row) | _numbers(row) for row in rows]
    write_markdown(path, "Recycled adapters against mere capacity", heads, lines, NOTE)


def _numbers(row: Mapping[str, str]) -> dict[str, str]:
    low, high = _number(row["difference_low"]), _number(row["difference_high"])
    return {
        "n": f"{row['n_tasks']} × {row['n_seeds']}",
        "accuracy": percent(_number(row["accuracy"])),
        "difference": signed_percent(_number(row["difference"])),
        "interval": percent_interval(low, high),
        "record": f"{row['wins']}/{row['ties']}/{row['losses']}" if row["wins"] else "",
    }


def _number(text: str) -> float | None:
    return float(text) if text else None
