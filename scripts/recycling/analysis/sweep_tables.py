"""Accuracy against K, recycled against re-initialised, and transfer against the number skipped."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from recycling.analysis.levels import DIFFERENCE, LEVEL, difference, holm, level
from recycling.analysis.paired import Settings
from recycling.analysis.runs import Missing, fitting, pick

BASELINE_EXPERIMENTS = ("main", "baselines", "zero_shot", "target_lora")
IDENTITY = ("method", "pool", "selection", "reinit", "target", "k", "skip")
COLUMNS = (*IDENTITY, *LEVEL, *DIFFERENCE)


def sweep(
    runs: pd.DataFrame, experiments: Sequence[str], method: str, settings: Settings
) -> list[dict[str, Any]]:
    """Baselines, then one row a point of `method` in these experiments.

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
)


def recycled_minus_reinitialised(
    runs: pd.DataFrame, experiments: Sequence[str], method: str, settings: Settings
) -> list[dict[str, Any]]:
    """One row a selection, target and K: weights as published minus re-initialised."""
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
            recycled = pick(points, where | {"reinit": "none"}, experiments)
        except Missing as missing:
            print(f"left out of the table: {missing}")
            continue
        shared = set(noise["task"]) & set(recycled["task"])
        rows.append(
            where
            | {"n_tasks": len(shared), "n_seeds": noise["seed"].nunique()}
            | difference(recycled, noise, settings)
        )
        rows[-1].pop("pool")
    return holm(rows)
