"""Figure: what became of the candidates, reason by reason."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from recycling.plots.rows import Row
from recycling.plots.style import GREY, INK, WIDTH, frame, new_figure, plain

STAGES = {
    "listing": ("the listing", "#b9c4cc", ""),
    "config": ("its config", "#8fa3ad", "////"),
    "header": ("the weights' header", "#5f7a87", "...."),
    "weights": ("the weights", "#34515e", "xxxx"),
    "other": ("elsewhere", "#d9d9d9", ""),
}
KEPT = "#0072B2"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the funnel's table. A bar for the candidates, falling reason by reason to the pool."""
    figure = new_figure(WIDTH, 0.55 + 0.21 * len(rows))
    axes = figure.subplots()
    total = int(rows[0]["adapters"])
    names = []
    for place, row in enumerate(rows):
        count, left = int(row["adapters"]), int(row["left"])
        y = len(rows) - 1 - place
        if row["step"] in ("candidates", "pool"):
            names.append(row["step"])
            axes.barh(y, count, color=KEPT, height=0.72)
            share = f" ({100 * count / total:.0f}\N{NO-BREAK SPACE}%)" if total and place else ""
            axes.text(count, y, f" {count}{share}", va="center", fontweight="bold", fontsize=8)
        else:
            names.append(plain(row["meaning"] or row["reason"], 62))
            _, colour, hatch = STAGES[row["step"]]
            axes.barh(y, count, left=left, color=colour, hatch=hatch, edgecolor="white",
                      linewidth=0, height=0.72)  # fmt: skip
            axes.plot([left, left], [y - 1, y], color=GREY, linewidth=0.5, zorder=0)
            axes.text(left + count, y, f" −{count}", va="center", fontsize=7.5)
    axes.set_yticks(range(len(rows) - 1, -1, -1), names)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        if row["step"] in ("candidates", "pool"):
            label.set_fontweight("bold")
        else:
            label.set_fontsize(7.5)
            label.set_color(INK)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, 1.12 * max(total, 1))
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("adapter repositories")
    axes.grid(axis="x")
    used = [stage for stage in STAGES if any(row["step"] == stage for row in rows)]
    handles = [
        Patch(facecolor=STAGES[stage][1], hatch=STAGES[stage][2], edgecolor="white", linewidth=0,
              label=f"rejected by {STAGES[stage][0]}")
        for stage in used
    ]  # fmt: skip
    note = (
        "Every candidate is counted once: a rejected one under the first reason found, in the order "
        "of the screening."
    )
    frame(figure, "Which public adapters can be used?", note, handles)
    return figure
