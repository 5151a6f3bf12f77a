"""How much is capacity: coefficients over random adapters, beside those over recycled ones."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recycling.analysis.experiments import CAPACITY, TARGET_ALONE
from recycling.analysis.levels import DIFFERENCE, LEVEL, difference, level
from recycling.analysis.paired import Settings
from recycling.analysis.runs import Missing, fitting, load_runs, pick
from recycling.analysis.variants import parsed, setting, target_loras
from recycling.exhibits.inputs import load_statistics
from recycling.exhibits.source import Source

COLUMNS = ("series", "k", *LEVEL, *DIFFERENCE)
OURS: dict[str, Any] = {"method": "ours", "target": "with", "selection": "evaluation", "skip": 0}
SERIES: Mapping[str, dict[str, Any]] = {
    "recycled": OURS | {"reinit": "none"},
    "re-initialised": OURS | {"reinit": "others"},
}


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    runs, settings = load_runs(source.inputs["runs"]), source.settings["method_settings"]
    return capacity_table(runs, settings, load_statistics(source))


def capacity_table(
    runs: pd.DataFrame, method_settings: Mapping[str, Any], settings: Settings
) -> list[dict[str, Any]]:
    """One row per series and K (the target LoRA counts): random adapters, recycled, re-initialised.

    method_settings: those of `random_basis`. difference: from the target LoRA, paired. The target
    LoRA alone, tuned, is the series "alone" with K = 1.
    """
    loras = target_loras(runs)
    parts: list[tuple[str, int, pd.DataFrame]] = []
    own = runs[runs["method"] == "random_basis"].drop_duplicates("key")
    for variant, part in own.groupby("variant", sort=False):
        count = int(setting("count", parsed(str(variant)), method_settings))
        parts.append(("random basis", count, part))
    for series, where in SERIES.items():
        fits = runs["experiment"].isin(CAPACITY) & fitting(runs, where)
        for k in sorted(set(runs.loc[fits, "k"]) - {1}):
            parts += _picked(runs, series, int(k), where | {"k": k}, CAPACITY)
    alone = {"method": "ours", "target": "with", "k": 1}
    parts += _picked(runs, "alone", 1, alone, TARGET_ALONE)
    rows = [
        {"series": series, "k": k, **level(part, settings), **difference(part, loras, settings)}
        for series, k, part in parts
    ]
    return sorted(rows, key=lambda row: (row["series"], row["k"]))


def _picked(
    runs: pd.DataFrame, series: str, k: int, where: Mapping[str, Any], places: tuple[str, ...]
) -> list[tuple[str, int, pd.DataFrame]]:
    try:
        return [(series, k, pick(runs, where, places))]
    except Missing as missing:
        print(f"left out of the table: {missing}")
        return []
