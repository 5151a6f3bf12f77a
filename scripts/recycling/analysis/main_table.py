"""The main table: every method without and with the target LoRA, and the paper's figure beside."""

from typing import Any

import pandas as pd

from recycling.analysis.levels import DIFFERENCE, LEVEL, difference, holm, level
from recycling.analysis.names import method_order
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings
from recycling.analysis.reported import reported_value
from recycling.analysis.runs import BASELINES, Missing, fitting, pick

EXPERIMENTS = ("main", "baselines", "zero_shot", "target_lora", "target_alone")
ROW = ("method", "selection", "target", "k")
COLUMNS = (*ROW, *LEVEL, *DIFFERENCE, "wilcoxon_p_holm", "reported", "locator")


def main_table(
    runs: pd.DataFrame, reported: pd.DataFrame, settings: Settings
) -> list[dict[str, Any]]:
    """One row a method, selection and target. difference: from the target LoRA, paired; Holm's
    correction is over the table.

    Of a method with several K in these experiments the largest is taken. K = 1 with the target
    LoRA (nothing else merged) is a row of its own.
    """
    runs = runs[runs["experiment"].isin(EXPERIMENTS)]
    runs = runs[fitting(runs, {"reinit": "none", "skip": 0})]
    lora = runs[runs["method"] == "target_lora"].drop_duplicates(["task", "seed"])
    rows = []
    for identity in sorted(_identities(runs), key=_order):
        where = dict(zip(ROW, identity, strict=True))
        try:
            chosen = pick(runs, where, EXPERIMENTS)
        except Missing as missing:
            print(f"left out of the main table: {missing}")
            continue
        row = where | level(chosen, settings)
        if where["method"] != "target_lora" and len(lora):
            row |= difference(chosen, lora, settings)
        found = None if where["k"] == 1 else reported_value(reported, where, "main")
        value, locator = found or (None, "")
        rows.append(row | {"reported": exact(value), "locator": locator})
    return holm(rows)


def _identities(runs: pd.DataFrame) -> list[tuple[Any, ...]]:
    """The rows as values of ROW."""
    kept: list[tuple[Any, ...]] = []
    for (method, selection, target), part in runs.groupby(list(ROW[:3]), sort=True):
        ks = set(part["k"].tolist())
        if method not in BASELINES and target == "with" and 1 in ks:
            ks.remove(1)
            kept.append((method, selection, target, 1))
        if ks:
            kept.append((method, selection, target, max(ks)))
    return kept


def _order(identity: tuple[Any, ...]) -> tuple[Any, ...]:
    method, selection, target, k = identity
    return method_order(method), k != 1, selection, target == "with"
