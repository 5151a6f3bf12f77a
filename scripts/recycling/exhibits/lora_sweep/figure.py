"""Figure: the target LoRA's hyper-parameters, a heat map for each number of steps."""

from collections.abc import Sequence

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from recycling.plots.rows import Row, grid, points, sizes
from recycling.plots.style import WIDTH, frame, new_figure, nothing

QUESTION = "How does the target LoRA depend on its hyper-parameters?"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the table. One panel per number of steps, learning rate against rank."""
    if not rows:
        return nothing(QUESTION, "no search over the target LoRA in this study")
    steps, ranks, rates = (_values(rows, name) for name in ("steps", "rank", "lr"))
    figure = new_figure(WIDTH, 0.8 + 0.36 * len(rates))
    panels = figure.subplots(1, len(steps), sharey=True, squeeze=False)[0]
    shown = [points(row, "accuracy") for row in rows]
    limits = min(shown), max(max(shown), min(shown) + 1)
    for axes, number in zip(panels, steps, strict=True):
        _panel(axes, [row for row in rows if row["steps"] == number], ranks, rates, limits)
        axes.set_title(f"{number} steps")
    panels[0].set_ylabel("learning rate")
    figure.colorbar(
        panels[0].collections[0],
        ax=panels,
        label="mean accuracy (%)",
        fraction=0.05,
        pad=0.02,
        aspect=12,
    )
    note = f"{sizes(rows)}. Mean accuracy over tasks. Framed: the target LoRA of this study."
    frame(figure, QUESTION, note)
    return figure


def _panel(
    axes: Axes,
    rows: Sequence[Row],
    ranks: list[str],
    rates: list[str],
    limits: tuple[float, float],
) -> None:
    levels = grid(rows, "lr", "rank", "accuracy", percent=True)
    sns.heatmap(
        levels.reindex(index=rates, columns=ranks), ax=axes, cmap="cividis", vmin=limits[0],
        vmax=limits[1], annot=True, fmt=".1f", annot_kws={"fontsize": 7.5}, cbar=False,
        xticklabels=list(ranks), yticklabels=[f"{float(rate):g}" for rate in rates],
    )  # fmt: skip
    for row in rows:
        if row["configured"]:
            corner = ranks.index(row["rank"]) + 0.03, rates.index(row["lr"]) + 0.03
            axes.add_patch(Rectangle(corner, 0.94, 0.94, fill=False, edgecolor="#D55E00", lw=2))
    axes.set(xlabel="rank", ylabel="")
    axes.tick_params(length=0, rotation=0)


def _values(rows: Sequence[Row], name: str) -> list[str]:
    return sorted({row[name] for row in rows}, key=float)
