"""The claims' comparisons task by task, seed by seed."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from recycling.analysis.comparisons import CLAIMS, Comparison
from recycling.analysis.numbers import exact
from recycling.analysis.resolve import resolve
from recycling.analysis.runs import Missing, load_runs
from recycling.exhibits.source import Source

COLUMNS = ("comparison", "effect_is", "kind", "task", "seed", "a", "b", "difference")


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return differences_table(load_runs(source.inputs["runs"]))


def differences_table(
    runs: pd.DataFrame, comparisons: Sequence[Comparison] = CLAIMS
) -> list[dict[str, Any]]:
    """One row per comparison, task and seed: a, b and a - b, where the study has runs."""
    rows = []
    for comparison in comparisons:
        try:
            pairs = resolve(runs, comparison).pairs
        except Missing as missing:
            print(f"left out of the differences: {comparison.id}: {missing}")
            continue
        for pair in pairs.to_dict("records"):
            rows.append(
                {
                    "comparison": comparison.id,
                    "effect_is": comparison.effect_is,
                    "kind": comparison.kind,
                    "task": pair["task"],
                    "seed": pair["seed"],
                    **{name: exact(pair[name]) for name in ("a", "b", "difference")},
                }
            )
    return rows
