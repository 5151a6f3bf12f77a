"""Figure: how many adapters tie at the cut of a selection by evaluation."""

from collections.abc import Sequence

import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from recycling.plots.rows import Row, number
from recycling.plots.style import GREY, POOL, frame, new_figure, nothing

QUESTION = "How much of a selection is a toss-up?"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the ties' table. Median, quartiles and range over tasks against the cut."""
    if not rows:
        return nothing(QUESTION, "no selection by evaluation in this study")
    figure = new_figure(5.2, 2.7)
    axes = figure.subplots()
    cuts = sorted({int(row["cut"]) for row in rows})
    x = [int(row["cut"]) for row in rows]
    tied = [number(row, "tied") for row in rows]
    sns.lineplot(
        x=x, y=tied, ax=axes, color=POOL, estimator="median", errorbar=("pi", 50),
        drawstyle="steps-mid", err_kws={"step": "mid", "alpha": 0.25, "linewidth": 0},
    )  # fmt: skip
    for extreme in ("min", "max"):
        sns.lineplot(
            x=x, y=tied, ax=axes, color=GREY, estimator=extreme, errorbar=None, linewidth=0.8,
            linestyle=":", drawstyle="steps-mid",
        )  # fmt: skip
    axes.set(xlabel="adapters taken", ylabel="adapters tied at the cut")
    axes.set_xlim(cuts[0] - 0.5, cuts[-1] + 0.5)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    handles = [
        Line2D([], [], color=POOL, label="median task"),
        Patch(color=POOL, alpha=0.25, label="half of the tasks"),
        Line2D([], [], color=GREY, linewidth=0.8, linestyle=":", label="least and most"),
    ]
    tasks = len({row["task"] for row in rows})
    most = max(int(row["adapters"]) for row in rows)
    note = (
        f"{tasks} tasks, {most} adapters. Tied: adapters with the score of the last one taken "
        "where the first one left out has it too; a seeded rule then decides, not the score."
    )
    frame(figure, QUESTION, note, handles)
    return figure
