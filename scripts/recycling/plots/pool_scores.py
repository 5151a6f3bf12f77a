"""Figure: the score of every pool adapter on every task."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from recycling.plots.rows import Row, number
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
    grid = np.full((len(adapters), len(tasks)), np.nan)
    places = {name: place for place, name in enumerate(adapters)}
    columns = {name: place for place, name in enumerate(tasks)}
    for row in rows:
        grid[places[row["repo_id"]], columns[row["task"]]] = 100 * number(row, "score")
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(grid), cmap="cividis", vmin=0, vmax=100, rasterized=grid.size > SMOOTH
    )
    axes.invert_yaxis()
    axes.set_xticks(
        np.arange(len(tasks)) + 0.5, [plain(name, 22) for name in tasks], rotation=90,
        fontsize=7.5 if len(tasks) < 30 else 6,
    )  # fmt: skip
    if named:
        axes.set_yticks(
            np.arange(len(adapters)) + 0.5, [plain(name, 36) for name in adapters], fontsize=6.5
        )
    else:
        axes.set_ylabel(f"{len(adapters)} adapters, best first")
        axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(mesh, ax=axes, label="exact match (%)", fraction=0.04, pad=0.01, aspect=30)
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
