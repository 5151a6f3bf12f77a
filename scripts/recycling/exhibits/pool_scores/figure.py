"""Figure: the score of every pool adapter on every task."""

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from recycling.plots.rows import Row, grid, number
from recycling.plots.style import WIDTH, frame, new_figure, nothing, plain

NAMED = 60  # more adapters than that are not named
SMOOTH = 5_000  # more cells than that are drawn as pixels in SVG too

QUESTION = "What does each public adapter do on each task?"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the scores' table. Adapters by their mean score, tasks by theirs."""
    if not rows:
        return nothing(QUESTION, "no adapter was scored in this study")
    adapters, tasks = _by_mean(rows, "repo_id"), _by_mean(rows, "task")
    named = len(adapters) <= NAMED
    figure = new_figure(WIDTH, 1.6 + (0.145 * max(6, len(adapters)) if named else 6.0))
    axes = figure.subplots()
    scores = grid(rows, "repo_id", "task", "score", percent=True).loc[adapters, tasks]
    sns.heatmap(
        scores, ax=axes, cmap="cividis", vmin=0, vmax=100, rasterized=scores.size > SMOOTH,
        xticklabels=[plain(name, 22) for name in tasks],
        yticklabels=[plain(name, 36) for name in adapters] if named else False,
        cbar_kws={"label": "exact match (%)", "fraction": 0.04, "pad": 0.01, "aspect": 30},
    )  # fmt: skip
    axes.set(xlabel="", ylabel="" if named else f"{len(adapters)} adapters, best first")
    axes.tick_params(axis="x", length=0, rotation=90, labelsize=7.5 if len(tasks) < 30 else 6)
    axes.tick_params(axis="y", length=0, rotation=0, labelsize=6.5)
    note = (
        f"{len(adapters)} adapters, {len(tasks)} tasks, both ordered by their mean; each adapter "
        "alone on the base, on the examples that selection by evaluation uses."
    )
    frame(figure, QUESTION, note)
    return figure


def _by_mean(rows: Sequence[Row], column: str) -> list[str]:
    """The names in a column by their mean score, best first."""
    values: dict[str, list[float]] = {}
    for row in rows:
        values.setdefault(row[column], []).append(number(row, "score"))
    return sorted(values, key=lambda name: (-np.mean(values[name]), name))
