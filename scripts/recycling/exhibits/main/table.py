"""The main table: every method without and with the target LoRA, and the paper's figure beside."""

from typing import Any

import pandas as pd

from recycling.analysis.experiments import MAIN, own_experiments
from recycling.analysis.levels import DIFFERENCE, LEVEL, difference, holm, level
from recycling.analysis.names import method_order
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings
from recycling.analysis.reported import reported_value
from recycling.analysis.runs import BASELINES, Missing, fitting, pick
from recycling.exhibits.inputs import load_comparison
from recycling.exhibits.source import Source

ROW = ("method", "selection", "target", "k")
COLUMNS = (*ROW, *LEVEL, *DIFFERENCE, "wilcoxon_p_holm", "reported", "locator")


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return main_table(*load_comparison(source))


def main_table(
    runs: pd.DataFrame, reported: pd.DataFrame, settings: Settings
) -> list[dict[str, Any]]:
    """One row per method, selection and target. difference: from the target LoRA, paired; Holm's
    correction is over the table.

    Of a method with several K the largest is taken. K = 1 with the target LoRA (nothing else
    merged) is a row of its own, and so is every K of an experiment of the study's own.
    """
    experiments = rows_experiments(runs)
    runs = runs[runs["experiment"].isin(experiments)]
    runs = runs[fitting(runs, {"reinit": "none", "skip": 0})]
    lora = runs[runs["method"] == "target_lora"].drop_duplicates(["task", "seed"])
    rows = []
    identities = _identities(runs)
    for identity in sorted(identities, key=_order):
        where = dict(zip(ROW, identity, strict=True))
        try:
            chosen = pick(runs, where, experiments)
        except Missing as missing:
            print(f"left out of the main table: {missing}")
            continue
        row = where | level(chosen, settings)
        if where["method"] != "target_lora" and len(lora):
            row |= difference(chosen, lora, settings)
        figure = reported_value(reported, where, "main") if identities[identity] else None
        value, locator = figure or (None, "")
        rows.append(row | {"reported": exact(value), "locator": locator})
    return holm(rows)


def rows_experiments(runs: pd.DataFrame) -> tuple[str, ...]:
    """The experiments whose runs are rows of the table."""
    return (*MAIN, *own_experiments(runs))


def _identities(runs: pd.DataFrame) -> dict[tuple[Any, ...], bool]:
    """The rows as values of ROW, and whether the paper has a figure for such a row: it has for the
    largest K of a method.
    """
    identities: dict[tuple[Any, ...], bool] = {}
    own = runs["experiment"].isin(own_experiments(runs))
    for identity, part in runs.groupby(list(ROW[:3]), sort=True):
        method, _, target = identity
        ks = set(part.loc[~own, "k"].tolist())
        if method not in BASELINES and target == "with" and 1 in ks:
            ks.remove(1)
            identities[*identity, 1] = False
        if ks:
            identities[*identity, max(ks)] = True
        for k in part.loc[own, "k"].tolist():
            identities.setdefault((*identity, k), False)
    return identities


def _order(identity: tuple[Any, ...]) -> tuple[Any, ...]:
    method, selection, target, k = identity
    return method_order(method), k != 1, selection, target == "with"
