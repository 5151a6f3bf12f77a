"""The main table: every method without and with the target LoRA, and the paper's figure beside."""

from typing import Any

import pandas as pd

from recycling.analysis.intervals import hierarchical_interval
from recycling.analysis.names import method_order
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings, groups, pair, summarise
from recycling.analysis.reported import reported_value
from recycling.analysis.runs import BASELINES, Missing, pick

EXPERIMENTS = ("main", "baselines", "zero_shot", "target_lora", "target_alone")
ROW = ["method", "selection", "target", "k"]
COLUMNS = (
    *ROW, "n_tasks", "n_seeds", "accuracy", "ci_low", "ci_high",
    "minus_target_lora", "minus_target_lora_low", "minus_target_lora_high",
    "wins", "ties", "losses", "wilcoxon_p", "reported", "locator",
)  # fmt: skip


def main_table(
    runs: pd.DataFrame, reported: pd.DataFrame, settings: Settings, k: int | None
) -> list[dict[str, Any]]:
    """One row a method, selection and target: mean accuracy, intervals, difference to the target LoRA.

    Of a method with several K the study's `k` is taken, else its largest. K = 1 (the target LoRA
    merged alone) is a row of its own. minus_target_lora is paired by task and seed.
    """
    runs = runs[(runs["reinit"] == "none") & (runs["skip"] == 0)]
    runs = runs[runs["experiment"].isin(EXPERIMENTS)]
    rows = []
    for identity in sorted(_identities(runs, k), key=_order):
        where = dict(zip(ROW, identity, strict=True))
        try:
            chosen = pick(runs, where, EXPERIMENTS)
        except Missing as missing:
            print(f"left out of the main table: {missing}")
            continue
        rows.append(where | _level(chosen, settings) | _against_lora(runs, chosen, settings))
        found = None if where["k"] == 1 else reported_value(reported, where, "main")
        value, locator = found or (None, "")
        rows[-1] |= {"reported": exact(value), "locator": locator}
    return rows


def _identities(runs: pd.DataFrame, k: int | None) -> list[tuple[Any, ...]]:
    """(method, selection, target, k) of the rows."""
    kept = []
    for (method, selection, target), part in runs.groupby(ROW[:3], sort=True):
        ks = set(part["k"])
        if method not in BASELINES and 1 in ks:
            ks.remove(1)
            kept.append((method, selection, target, 1))
        if ks:
            kept.append((method, selection, target, k if k in ks else max(ks)))
    return kept


def _order(identity: tuple[Any, ...]) -> tuple[Any, ...]:
    method, selection, target, k = identity
    return method_order(method), k != 1, selection, target == "with"


def _level(chosen: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    interval = hierarchical_interval(
        groups(chosen, "accuracy"),
        seed=settings.seed,
        resamples=settings.resamples,
        level=1 - settings.alpha,
    )
    low, high = interval or (None, None)
    return {
        "n_tasks": chosen["task"].nunique(),
        "n_seeds": chosen["seed"].nunique(),
        "accuracy": exact(float(chosen.groupby("task")["accuracy"].mean().mean())),
        "ci_low": exact(low),
        "ci_high": exact(high),
    }


def _against_lora(runs: pd.DataFrame, chosen: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    if chosen["method"].iloc[0] == "target_lora":
        return {}
    try:
        pairs = pair(chosen, pick(runs, {"method": "target_lora"}, EXPERIMENTS))
    except Missing:
        return {}
    found = summarise(pairs, settings)
    return {
        "minus_target_lora": exact(found["effect"]),
        "minus_target_lora_low": exact(found["ci_low"]),
        "minus_target_lora_high": exact(found["ci_high"]),
        "wilcoxon_p": exact(found["wilcoxon_p"]),
        **{name: found[name] for name in ("wins", "ties", "losses")},
    }
