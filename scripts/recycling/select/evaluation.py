"""Selection by evaluation: an adapter's exact match on the task's examples, as in the paper."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

BASE = ""  # the repo_id of the base itself, scored without an adapter


def accuracies(
    rows: Iterable[Mapping[str, Any]], task: str, splits: Sequence[str]
) -> dict[str, float]:
    """repo_id -> exact match over all examples of `splits`, from the rows of a scores table.

    splits: ("train", "validation") as in the paper, or ("train",), which reserves the validation
    examples for the choice of the best step. The row of the base is left out.
    """
    return {
        row["repo_id"]: pooled(row, splits)
        for row in rows
        if row["task"] == task and row["repo_id"] != BASE
    }


def pooled(row: Mapping[str, Any], splits: Sequence[str]) -> float:
    """Exact match over all examples of `splits`, from one row of a scores table."""
    sizes = [int(row[f"n_{split}"]) for split in splits]
    hits = [float(row[split]) * size for split, size in zip(splits, sizes, strict=True)]
    return sum(hits) / sum(sizes)
