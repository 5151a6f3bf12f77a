"""Figure: the target LoRA's hyper-parameters, a heat map for each number of steps."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from recycling.plots.rows import Row, points, sizes
from recycling.plots.style import INK, WIDTH, frame, new_figure, nothing

QUESTION = "How does the target LoRA depend on its hyper-parameters?"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the table of the search. One panel a number of steps, learning rate against rank."""
    if not rows:
        return nothing(QUESTION, "no search over the target LoRA in this study")
    steps, ranks, rates = (_values(rows, name) for name in ("steps", "rank", "lr"))
    figure = new_figure(WIDTH, 0.8 + 0.36 * len(rates))
    panels = figure.subplots(1, len(steps), sharey=True, squeeze=False)[0]
    shown = [points(row, "accuracy") for row in rows]
    limits = min(shown), max(max(shown), min(shown) + 1)
    for axes, number in zip(panels, steps, strict=True):
        mesh = _panel(axes, [row for row in rows if row["steps"] == number], ranks, rates, limits)
        axes.set_title(f"{number} steps")
        axes.set_xlabel("rank")
    panels[0].set_ylabel("learning rate")
    figure.colorbar(mesh, ax=panels, label="mean accuracy (%)", fraction=0.05, pad=0.02, aspect=12)
    note = f"{sizes(rows)}. Mean accuracy over tasks. Framed: the target LoRA of this study."
    frame(figure, QUESTION, note)
    return figure


def _panel(
    axes: Axes,
    rows: Sequence[Row],
    ranks: Sequence[str],
    rates: Sequence[str],
    limits: tuple[float, float],
) -> QuadMesh:
    grid = np.full((len(rates), len(ranks)), np.nan)
    for row in rows:
        grid[rates.index(row["lr"]), ranks.index(row["rank"])] = points(row, "accuracy")
    low, high = limits
    mesh = axes.pcolormesh(np.ma.masked_invalid(grid), cmap="cividis", vmin=low, vmax=high)
    for (y, x), value in np.ndenumerate(grid):
        if np.isfinite(value):
            dark = value < (low + high) / 2
            axes.text(x + 0.5, y + 0.5, f"{value:.1f}", ha="center", va="center", fontsize=7.5,
                      color="white" if dark else INK)  # fmt: skip
    for row in rows:
        if row["configured"]:
            corner = ranks.index(row["rank"]) + 0.03, rates.index(row["lr"]) + 0.03
            axes.add_patch(Rectangle(corner, 0.94, 0.94, fill=False, edgecolor="#D55E00", lw=2))
    axes.set_xticks(np.arange(len(ranks)) + 0.5, list(ranks))
    axes.set_yticks(np.arange(len(rates)) + 0.5, [f"{float(rate):g}" for rate in rates])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return mesh


def _values(rows: Sequence[Row], name: str) -> list[str]:
    return sorted({row[name] for row in rows}, key=float)
