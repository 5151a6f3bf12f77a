"""Accuracy against K, recycled against re-initialised, and transfer against the number skipped."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from recycling.analysis.levels import (
    DIFFERENCE,
    LEVEL,
    difference,
    holm,
    level,
    paired_difference,
)
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings, pair
from recycling.analysis.reported import reported_difference, reported_value
from recycling.analysis.runs import Missing, fitting, pick

BASELINE_EXPERIMENTS = ("main", "baselines", "zero_shot", "target_lora")
IDENTITY = ("method", "pool", "selection", "reinit", "target", "k", "skip")
COLUMNS = (*IDENTITY, *LEVEL, *DIFFERENCE, "reported", "locator")
EXHIBIT = "k_sweep"


def sweep(
    runs: pd.DataFrame,
    reported: pd.DataFrame,
    experiments: Sequence[str],
    method: str,
    settings: Settings,
) -> list[dict[str, Any]]:
    """Baselines, then one row a point of `method` in these experiments.

    reported: the paper's figure, which is for its largest K, beside the largest K here.
    difference: from the target LoRA, paired. Every row is over the same tasks: those that all
    points have (over all of its own where there is no such task).
    """
    runs = runs[fitting(runs, {})]
    points = runs[runs["experiment"].isin(experiments) & (runs["method"] == method)]
    baselines = runs[
        runs["experiment"].isin(BASELINE_EXPERIMENTS)
        & runs["method"].isin(("zero_shot", "target_lora"))
    ]
    tasks = common_tasks(points)
    if tasks:
        points = points[points["task"].isin(tasks)]
        baselines = baselines[baselines["task"].isin(tasks)]
    lora = baselines[baselines["method"] == "target_lora"].drop_duplicates(["task", "seed"])
    largest = points["k"].max()
    rows = []
    for part, places in ((baselines, BASELINE_EXPERIMENTS), (points, experiments)):
        for identity in sorted(set(part[list(IDENTITY)].itertuples(index=False, name=None))):
            where = dict(zip(IDENTITY, identity, strict=True))
            try:
                chosen = pick(part, where, places)
            except Missing as missing:
                print(f"left out of the table: {missing}")
                continue
            row = where | level(chosen, settings)
            if where["method"] != "target_lora" and len(lora):
                row |= difference(chosen, lora, settings)
            if where["pool"] != "in_house" and where["k"] in (0, largest):
                value, locator = reported_value(reported, where, EXHIBIT) or (None, "")
                row |= {"reported": exact(value), "locator": locator}
            rows.append(row)
    return rows


def common_tasks(points: pd.DataFrame) -> set[str]:
    """The tasks that every point (row of IDENTITY) has runs of."""
    sets = [set(part["task"]) for _, part in points.groupby(list(IDENTITY))]
    return set.intersection(*sets) if sets else set()


REINIT_COLUMNS = (
    "selection",
    "target",
    "reinit",
    "k",
    "n_tasks",
    "n_seeds",
    *DIFFERENCE,
    "wilcoxon_p_holm",
    "reported",
    "reported_is",
)


def recycled_minus_reinitialised(
    runs: pd.DataFrame,
    reported: pd.DataFrame,
    experiments: Sequence[str],
    method: str,
    settings: Settings,
) -> list[dict[str, Any]]:
    """One row a selection, target and K: weights as published minus re-initialised; the paper's
    difference beside the largest K.
    """
    points = runs[runs["experiment"].isin(experiments)]
    points = points[fitting(points, {"method": method, "skip": 0})]
    keys = ["selection", "target", "reinit", "k", "pool"]
    rows = []
    for identity in sorted(
        set(points[points["reinit"] != "none"][keys].itertuples(index=False, name=None))
    ):
        where = dict(zip(keys, identity, strict=True))
        try:
            noise = pick(points, where, experiments)
            pairs = pair(pick(points, where | {"reinit": "none"}, experiments), noise)
        except Missing as missing:
            print(f"left out of the table: {missing}")
            continue
        # Recycled weights may have fewer seeds than noise: only the shared ones count.
        row = where | {"n_tasks": pairs["task"].nunique(), "n_seeds": pairs["seed"].nunique()}
        row |= paired_difference(pairs, settings)
        if where["k"] == points["k"].max():
            noisy = {"method": method, **where}
            told = reported_difference(reported, noisy | {"reinit": "none"}, noisy, EXHIBIT)
            value, words = told or (None, "")
            row |= {"reported": exact(value), "reported_is": words}
        row.pop("pool")
        rows.append(row)
    return holm(rows)
