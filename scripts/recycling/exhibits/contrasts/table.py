"""The contrasts of a study: those that it has runs for, with intervals and tests."""

from typing import Any

import pandas as pd

from recycling.analysis.contrasts import groups
from recycling.analysis.levels import LEVEL, holm
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings, summarise
from recycling.analysis.reported import reported_difference
from recycling.analysis.resolve import resolve
from recycling.analysis.runs import Missing, Where, describe
from recycling.exhibits.inputs import load_comparison
from recycling.exhibits.source import Source

NUMBERS = ("difference", "difference_low", "difference_high", "mean_a", "mean_b")
COLUMNS = (
    "group", "contrast", "effect_is", "minuend", "subtrahend", *LEVEL[:2], *NUMBERS,
    "wins", "ties", "losses", "wilcoxon_p", "wilcoxon_p_holm", "tost_p", "margin", "reported",
    "reported_is",
)  # fmt: skip


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return contrasts_table(*load_comparison(source))


def contrasts_table(
    runs: pd.DataFrame, reported: pd.DataFrame, settings: Settings
) -> list[dict[str, Any]]:
    """One row per contrast that the study has runs for. Holm's correction is within a group."""
    rows: list[dict[str, Any]] = []
    for group, contrasts in groups(runs).items():
        part = []
        for contrast in contrasts:
            try:
                resolved = resolve(runs, contrast)
            except Missing:
                continue
            statistics = summarise(resolved.pairs, settings)
            value, words = reported_difference(
                reported, resolved.minuend, resolved.subtrahend, contrast.exhibit
            ) or (None, "")
            part.append(
                {
                    "group": group,
                    "contrast": contrast.id,
                    "effect_is": contrast.effect_is + _k_of(resolved.minuend),
                    "minuend": describe(resolved.minuend),
                    "subtrahend": describe(resolved.subtrahend),
                    "difference": exact(statistics["effect"]),
                    "difference_low": exact(statistics["ci_low"]),
                    "difference_high": exact(statistics["ci_high"]),
                    "mean_a": exact(statistics["mean_a"]),
                    "mean_b": exact(statistics["mean_b"]),
                    "wilcoxon_p": exact(statistics["wilcoxon_p"]),
                    "tost_p": exact(statistics["tost_p"]),
                    "margin": exact(settings.margin),
                    "reported": exact(value),
                    "reported_is": words,
                    **{name: statistics[name] for name in ("n_tasks", "n_seeds")},
                    **{name: statistics[name] for name in ("wins", "ties", "losses")},
                }
            )
        rows += holm(part)
    return rows


def _k_of(side: Where) -> str:
    """The number of merged adapters, where there are several: contrasts may differ in it."""
    k = int(side.get("k", 0))
    return f" (K {k})" if k > 1 else ""
