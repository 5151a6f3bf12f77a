"""The ablations of the design: selection, granularity, activation, initialisation, one at a time.

One row for each value of an axis, each K and each learning rate, everything else as in the method
that the ablations start from; and one row with the learning rate chosen for each task and seed by
its validation loss. The method itself is a value of every axis. A variant that changes two things
at once is a value of the axis that bears both names.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from recycling.analysis.experiments import DESIGN
from recycling.analysis.levels import DIFFERENCE, LEVEL, difference, level
from recycling.analysis.paired import Settings
from recycling.analysis.runs import load_runs
from recycling.analysis.variants import LR, best_by_validation, parsed, setting, target_loras
from recycling.exhibits.inputs import load_statistics
from recycling.exhibits.source import Source

COLUMNS = ("axis", "value", "target", "k", "lr", *LEVEL, *DIFFERENCE)
BEST = "best"


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    settings = source.settings
    return design_table(
        load_runs(source.inputs["runs"]),
        settings["method"],
        settings["method_settings"],
        load_statistics(source),
    )


def design_table(
    runs: pd.DataFrame, method: str, method_settings: Mapping[str, Any], settings: Settings
) -> list[dict[str, Any]]:
    """One row per value of an axis, K and learning rate.

    method_settings: those of `method`. difference: from the target LoRA, paired. Every row is over
    the tasks that all of them have.
    """
    points = _points(runs, method, method_settings)
    identity = ["axis", "value", "target", "k"]
    if points.empty:
        return []
    tasks = set.intersection(*(set(part["task"]) for _, part in points.groupby(identity)))
    points = points[points["task"].isin(tasks)] if tasks else points
    loras = target_loras(runs)
    rows = []
    for key, part in points.groupby(identity, sort=False):
        where = dict(zip(identity, key, strict=True))
        rates = sorted(set(part["lr"]), key=float)
        chosen = [(rate, part[part["lr"] == rate]) for rate in rates]
        if len(rates) > 1:
            chosen.append((BEST, best_by_validation(part)))
        rows += [
            where | {"lr": rate} | level(part, settings) | difference(part, loras, settings)
            for rate, part in chosen
            if len(part)
        ]
    return sorted(rows, key=lambda row: (row["target"], row["k"]))


def _points(runs: pd.DataFrame, method: str, method_settings: Mapping[str, Any]) -> pd.DataFrame:
    """The runs of the ablations with their axis, value and learning rate, once for each axis."""
    own = runs[runs["experiment"].isin(DESIGN) & (runs["method"] == method)]
    own = own.drop_duplicates("key")
    records: list[dict[str, Any]] = own.to_dict("records")  # type: ignore[assignment]
    axes = dict.fromkeys(axis for run in records for axis, _ in _changed(run) if "+" not in axis)
    points = []
    for run in records:
        lr = setting(LR, parsed(run["variant"]), method_settings)
        places = list(_changed(run)) or [
            (axis, run["selection"] if axis == "selection" else setting(axis, {}, method_settings))
            for axis in axes
        ]
        points += [{**run, "axis": axis, "value": value, "lr": lr} for axis, value in places]
    return pd.DataFrame(points)


def _changed(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The axis on which a run differs from the method, and where on it; none if on none."""
    variant = {path: value for path, value in parsed(run["variant"]).items() if path != LR}
    if variant:
        yield " + ".join(variant), ", ".join(variant.values())
    elif run["selection"] != "evaluation":
        yield "selection", run["selection"]
