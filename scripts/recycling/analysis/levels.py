"""Rows of a table: the mean accuracy of some runs, and their paired difference from others."""

from typing import Any

import pandas as pd
from statsmodels.stats.multitest import multipletests

from recycling.analysis.intervals import hierarchical_interval
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings, groups, pair, summarise
from recycling.analysis.runs import Missing

LEVEL = ("n_tasks", "n_seeds", "accuracy", "ci_low", "ci_high")
DIFFERENCE = (
    "difference", "difference_low", "difference_high", "wins", "ties", "losses", "wilcoxon_p",
)  # fmt: skip


def level(chosen: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """The columns LEVEL: mean over tasks of the mean over seeds, with its hierarchical interval."""
    low, high = hierarchical_interval(
        groups(chosen, "accuracy"),
        seed=settings.seed,
        resamples=settings.resamples,
        level=1 - settings.alpha,
    ) or (None, None)
    return {
        "n_tasks": chosen["task"].nunique(),
        "n_seeds": chosen["seed"].nunique(),
        "accuracy": exact(float(chosen.groupby("task")["accuracy"].mean().mean())),
        "ci_low": exact(low),
        "ci_high": exact(high),
    }


def difference(
    minuend: pd.DataFrame, subtrahend: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """The columns DIFFERENCE, paired by task and seed; {} where nothing pairs."""
    try:
        return paired_difference(pair(minuend, subtrahend), settings)
    except Missing:
        return {}


def paired_difference(pairs: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """The columns DIFFERENCE of pairs, as returned by `pair`."""
    statistics = summarise(pairs, settings)
    return {
        "difference": exact(statistics["effect"]),
        "difference_low": exact(statistics["ci_low"]),
        "difference_high": exact(statistics["ci_high"]),
        "wilcoxon_p": exact(statistics["wilcoxon_p"]),
        **{name: statistics[name] for name in ("wins", "ties", "losses")},
    }


def holm(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with wilcoxon_p_holm: Holm's correction over those of them that have wilcoxon_p."""
    tested = [row for row in rows if row.get("wilcoxon_p")]
    if tested:
        ps = multipletests([float(row["wilcoxon_p"]) for row in tested], method="holm")[1]
        for row, p in zip(tested, ps, strict=True):
            row["wilcoxon_p_holm"] = exact(float(p))
    return rows
