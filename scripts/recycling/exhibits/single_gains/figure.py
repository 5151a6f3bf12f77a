"""Figure: what single pool adapters add to the base, task by task."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from recycling.plots.rows import Row, number, points
from recycling.plots.style import (
    GREY,
    INK,
    POOL,
    WIDTH,
    frame,
    new_figure,
    nothing,
    plain,
    stripes,
)

QUESTION = "What does a single public adapter add to the base?"
SHARES = {"better": POOL, "equal": "#b9c4cc", "worse": "#ececec"}
BEST: Any = {"marker": "o", "color": POOL, "linestyle": "none", "ms": 5}
SEEN: Any = {"marker": "D", "color": "#D55E00", "mfc": "white", "linestyle": "none", "ms": 4.5}


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the table of single gains. Left gains over the base, right shares of adapters."""
    if not rows:
        return nothing(QUESTION, "no adapter was scored in this study")
    rows = sorted(rows, key=lambda row: (number(row, "best"), row["task"]))
    figure = new_figure(WIDTH, 0.6 + 0.175 * max(5, len(rows)))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.9, 1))
    for y, row in enumerate(rows):
        _gains(left, y, row)
        _shares(right, y, row)
    stripes(left, len(rows))
    left.axvline(0, color=INK, linewidth=0.8)
    left.grid(axis="x")
    left.set_xlabel("gain over the base (percentage points)")
    left.set_yticks(
        range(len(rows)), [plain(row["task"], 30) for row in rows],
        fontsize=8 if len(rows) < 30 else 6.5,
    )  # fmt: skip
    left.set_ylim(-0.6, len(rows) - 0.4)
    right.set_xlabel("adapters (%)")
    right.set_xlim(0, 100)
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    frame(figure, QUESTION, _note(rows), _legend(rows), columns=3)
    return figure


def _gains(axes: Axes, y: int, row: Row) -> None:
    axes.plot([points(row, "least"), points(row, "best")], [y, y], color=GREY, linewidth=0.8)
    axes.plot(
        [points(row, "lower"), points(row, "upper")], [y, y], color=POOL, linewidth=4,
        solid_capstyle="butt",
    )  # fmt: skip
    axes.plot(points(row, "middle"), y, "|", color="white", ms=5, zorder=3)
    axes.plot(points(row, "best"), y, zorder=4, **BEST)
    if row["seen_gain"]:
        axes.plot(points(row, "seen_gain"), y, zorder=5, **SEEN)


def _shares(axes: Axes, y: int, row: Row) -> None:
    left = 0.0
    for name, colour in SHARES.items():
        share = 100 * number(row, name) / number(row, "adapters")
        axes.barh(y, share, left=left, height=0.72, color=colour)
        left += share


def _note(rows: Sequence[Row]) -> str:
    seen = ""
    if rows[0]["seen_on"]:
        seen = (
            f" Diamonds: the best by the {rows[0]['chosen_on'].replace('+', ' and ')} examples, "
            f"seen on the {rows[0]['seen_on']} examples, which did not choose them."
        )
    adapters = max(int(row["adapters"]) for row in rows)
    return (
        f"{len(rows)} tasks, {adapters} adapters, each alone on the base, on the examples that "
        "selection looks at. Thin lines: least to best; thick: half of the adapters; white: "
        f"median. The best of many is best by luck too.{seen}"
    )


def _legend(rows: Sequence[Row]) -> list[Any]:
    handles: list[Any] = [Line2D([], [], label="best adapter", **BEST)]
    if rows[0]["seen_on"]:
        handles.append(Line2D([], [], label="best adapter, unseen examples", **SEEN))
    words = {"better": "better than the base", "equal": "equal", "worse": "worse"}
    return handles + [Patch(color=SHARES[name], label=words[name]) for name in SHARES]
