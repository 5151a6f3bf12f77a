"""Figure: what became of the candidates, stage by stage and reason by reason."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recycling.plots.rows import Row
from recycling.plots.style import GREY, POOL, WIDTH, frame, new_figure, plain, stripes

STAGES = {
    "listing": ("rejected: listing", "#c3ccd2", ""),
    "config": ("rejected: config", "#9aabb5", "////"),
    "header": ("rejected: header of the weights", "#748a97", "...."),
    "weights": ("rejected: weights", "#52697a", "xxxx"),
    "other": ("rejected: other", "#d9d9d9", ""),
}
SHARE = "{:.0f}\N{NO-BREAK SPACE}%"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the funnel's table. Above what each stage leaves, below what each reason takes."""
    reasons = [row for row in rows if row["step"] in STAGES]
    stages = [stage for stage in STAGES if any(row["step"] == stage for row in reasons)]
    heights = [0.24 * (len(stages) + 2), 0.19 * max(1, len(reasons))]
    figure = new_figure(WIDTH, 1.4 + sum(heights))
    upper, lower = figure.subplots(2, 1, height_ratios=[heights[0] + 0.3, heights[1] + 0.3])
    total = int(rows[0]["adapters"])
    _waterfall(upper, total, {s: [r for r in reasons if r["step"] == s] for s in stages})
    _reasons(lower, reasons)
    note = (
        "Every candidate is counted once: a rejected one under the first reason found, in the "
        "order of the screening (listing, config, header of the weights file, weights)."
    )
    frame(figure, "Which public adapters can be used?", note)
    return figure


def _waterfall(axes: Axes, total: int, stages: dict[str, list[Row]]) -> None:
    names, left, y = ["candidates"], total, len(stages) + 1
    axes.barh(y, total, color=POOL, height=0.7)
    _value(axes, total, y, str(total), bold=True)
    for stage, rows in stages.items():
        words, colour, hatch = STAGES[stage]
        names.append(words)
        lost = sum(int(row["adapters"]) for row in rows)
        left, y = left - lost, y - 1
        axes.barh(y, lost, left=left, height=0.7, color=colour, hatch=hatch, edgecolor="white",
                  linewidth=0)  # fmt: skip
        axes.plot([left, left], [y - 1, y], color=GREY, linewidth=0.6, zorder=0)
        _value(axes, left + lost, y, f"−{lost}")
    names.append("pool")
    axes.barh(0, left, color=POOL, height=0.7)
    share = SHARE.format(100 * left / total) if total else ""
    _value(axes, left, 0, f"{left} ({share})" if share else str(left), bold=True)
    axes.set_yticks(range(len(names) - 1, -1, -1), names)
    for place in (0, -1):
        axes.get_yticklabels()[place].set_fontweight("bold")
    _finish(axes, total, len(names), "adapters left")


def _reasons(axes: Axes, reasons: Sequence[Row]) -> None:
    names = [plain(row["meaning"] or row["reason"], 64) for row in reasons]
    for place, row in enumerate(reasons):
        _, colour, hatch = STAGES[row["step"]]
        y = len(reasons) - 1 - place
        axes.barh(y, int(row["adapters"]), height=0.7, color=colour, hatch=hatch,
                  edgecolor="white", linewidth=0)  # fmt: skip
        _value(axes, int(row["adapters"]), y, row["adapters"])
    axes.set_yticks(range(len(names) - 1, -1, -1), names, fontsize=7.5)
    most = max((int(row["adapters"]) for row in reasons), default=0)
    _finish(axes, most, len(names), "adapters rejected, by reason")


def _value(axes: Axes, x: float, y: float, words: str, *, bold: bool = False) -> None:
    axes.annotate(
        words, (x, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8,
        fontweight="bold" if bold else "normal",
    )  # fmt: skip


def _finish(axes: Axes, most: int, count: int, title: str) -> None:
    stripes(axes, count)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, 1.12 * max(most, 1))
    axes.set_ylim(-0.6, max(count, 1) - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(title)
    axes.grid(axis="x")
