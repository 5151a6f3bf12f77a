"""Recycled minus randomly re-initialised LoRAs of the same selection."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from recycling.analysis.experiments import RECYCLED
from recycling.analysis.levels import DIFFERENCE, holm, paired_difference
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings, pair
from recycling.analysis.reported import reported_difference
from recycling.analysis.runs import Missing, fitting, pick
from recycling.exhibits.inputs import load_comparison
from recycling.exhibits.source import Source

EXHIBIT = "k_sweep"  # of resources/reported.tsv
COLUMNS = (
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


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    runs, reported, settings = load_comparison(source)
    return recycled_minus_reinitialised(runs, reported, RECYCLED, "ours", settings)


def recycled_minus_reinitialised(
    runs: pd.DataFrame,
    reported: pd.DataFrame,
    experiments: Sequence[str],
    method: str,
    settings: Settings,
) -> list[dict[str, Any]]:
    """One row per selection, target and K: weights as published minus re-initialised; the paper's
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
            figure = reported_difference(reported, noisy | {"reinit": "none"}, noisy, EXHIBIT)
            value, words = figure or (None, "")
            row |= {"reported": exact(value), "reported_is": words}
        row.pop("pool")
        rows.append(row)
    return holm(rows)
