"""Selection by evaluation: an adapter's exact match on the task's own examples, as in the paper."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def accuracies(
    rows: Iterable[Mapping[str, Any]], task: str, splits: Sequence[str]
) -> dict[str, float]:
    """repo_id -> exact match over all examples of `splits`, from the rows of a scores table.

    splits: ("train", "validation") as in the paper, or ("train",), which leaves the validation
    examples unseen until the best step is chosen.
    """
    return {row["repo_id"]: _pooled(row, splits) for row in rows if row["task"] == task}


def _pooled(row: Mapping[str, Any], splits: Sequence[str]) -> float:
    sizes = [int(row[f"n_{split}"]) for split in splits]
    hits = [float(row[split]) * size for split, size in zip(splits, sizes, strict=True)]
    return sum(hits) / sum(sizes)
