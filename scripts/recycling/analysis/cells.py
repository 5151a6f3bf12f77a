"""Cells of the pages, from rows of the tables: the same words for the same columns everywhere."""

from collections.abc import Mapping
from typing import Any

from recycling.analysis.numbers import p_value, percent, percent_interval, signed_percent

Row = Mapping[str, str]
# Heads of `comparison`, to be used in this order.
COMPARISON = {
    "n": "Tasks × seeds",
    "accuracy": "Accuracy (%)",
    "difference": "− target LoRA",
    "interval": "95 % interval",
    "record": "W/T/L",
}
PAIRED = (
    "Differences in percentage points, paired by task and seed; 95 % intervals by the hierarchical "
    "bootstrap over tasks and seeds within tasks."
)


def number(text: str | None) -> float | None:
    """A cell of a table as a number; None where it is blank or absent."""
    return float(text) if text else None


def n(row: Mapping[str, Any]) -> str:
    """Tasks and seeds: '7 × 2'."""
    return f"{row['n_tasks']} × {row['n_seeds']}"


def record(row: Mapping[str, Any]) -> str:
    """Tasks won, tied and lost; blank where nothing was compared."""
    return f"{row['wins']}/{row['ties']}/{row['losses']}" if row.get("wins") else ""


def accuracy(row: Row, column: str = "accuracy") -> str:
    """An accuracy in per cent."""
    return percent(number(row.get(column)))


def difference(row: Row, column: str = "difference") -> str:
    """A difference of accuracies in percentage points."""
    return signed_percent(number(row.get(column)))


def interval(row: Row) -> str:
    """The 95 % interval of the difference."""
    return percent_interval(number(row.get("difference_low")), number(row.get("difference_high")))


def p(row: Row, column: str = "wilcoxon_p_holm") -> str:
    """A p value."""
    return p_value(number(row.get(column)))


def selection_size(row: Row) -> str:
    """K; blank for a method that merges nothing."""
    return row["k"] if row["k"] != "0" else ""


def comparison(row: Row) -> dict[str, str]:
    """The cells of COMPARISON."""
    return {
        "n": n(row),
        "accuracy": accuracy(row),
        "difference": difference(row),
        "interval": interval(row),
        "record": record(row),
    }
