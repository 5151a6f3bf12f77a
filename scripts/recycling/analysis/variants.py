"""The settings with which runs were made: those of their method, with their variant in place."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

LR = "training.lr"


def parsed(variant: str) -> dict[str, str]:
    """A variant's cell of runs.tsv, "activation=softmax,training.lr=0.1", as path -> value."""
    return dict(part.split("=", 1) for part in variant.split(",")) if variant else {}


def setting(path: str, variant: Mapping[str, str], method: Mapping[str, Any]) -> str:
    """The value at a dotted path: the variant's, else the method's; '' where neither has it."""
    if path in variant:
        return variant[path]
    value: Any = method
    for key in path.split("."):
        value = value.get(key, "") if isinstance(value, Mapping) else ""
    return str(value)


def target_loras(runs: pd.DataFrame) -> pd.DataFrame:
    """The target LoRAs as configured, one per task and seed."""
    own = runs[(runs["method"] == "target_lora") & (runs["variant"] == "")]
    return own.drop_duplicates(["task", "seed"])


def best_by_validation(points: pd.DataFrame) -> pd.DataFrame:
    """Of the runs of each task and seed the one of least validation loss; of equal ones the first.

    Empty where a run has no validation loss.
    """
    losses = pd.to_numeric(points["validation_loss"], errors="coerce")
    if losses.isna().any():
        return points.iloc[:0]
    ordered = points.assign(_loss=losses).sort_values("_loss", kind="stable")
    return ordered.drop_duplicates(["task", "seed"]).drop(columns="_loss")
