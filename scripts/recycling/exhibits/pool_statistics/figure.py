"""Figure: ranks, scalings, module sets, licences and authors of the pool, beside the paper's."""

from collections.abc import Sequence

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from recycling.plots.rows import Row, points
from recycling.plots.style import INK, PAPER, POOL, WIDTH, empty, frame, new_figure, plain, stripes

TITLES = {
    "rank": "rank r",
    "alpha": "alpha",
    "alpha / rank": "alpha / r",
    "module set": "adapted modules",
    "licence": "licence",
    "author": "author",
}
NUMERIC = ("rank", "alpha", "alpha / rank")
SHOWN = 9


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the pool's statistics. Bars: shares here, marks: in the paper."""
    parts = {name: _shown([row for row in rows if row["quantity"] == name]) for name in TITLES}
    most = max(len(part) for part in parts.values())
    figure = new_figure(WIDTH, 1.3 + 0.51 * max(3, most))
    for axes, (name, part) in zip(figure.subplots(3, 2).flat, parts.items(), strict=True):
        if part:
            _panel(axes, name, part)
        else:
            empty(axes, "no adapters")
    size = sum(int(row["adapters"]) for row in rows if row["quantity"] == "rank")
    paper = sum(int(row["paper_adapters"] or 0) for row in rows if row["quantity"] == "rank")
    handles = [
        Patch(facecolor=POOL, label=f"this pool, n = {size}"),
        Line2D([], [], color=INK, marker=PAPER.marker, mfc="white", linestyle="none",
               label=f"the paper's pool, n = {paper}"),
    ]  # fmt: skip
    note = (
        f"The {SHOWN} most frequent values; the others are summed. The paper's pool before its "
        "filter, where its values are known."
    )
    frame(figure, "What do the adapters in the pool look like?", note, handles)
    return figure


def _panel(axes: Axes, name: str, part: Sequence[Row]) -> None:
    sns.barplot(
        x=[points(row, "share") for row in part], y=list(range(len(part))), orient="h", ax=axes,
        color=POOL, saturation=1, width=0.6,
    )  # fmt: skip
    for place, row in enumerate(part):
        if row["paper_share"]:
            axes.plot(points(row, "paper_share"), place, PAPER.marker, color=INK, mfc="white",
                      ms=5, clip_on=False, zorder=3)  # fmt: skip
    axes.set_yticks(range(len(part)), [plain(row["value"], 30) for row in part])
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(len(part) - 0.4, -0.6)
    axes.set_xlim(left=0)
    stripes(axes, len(part))
    axes.set_xlabel("share of adapters (%)")
    axes.set_title(TITLES[name])
    axes.grid(axis="x")


def _shown(part: Sequence[Row]) -> list[Row]:
    """The most frequent values, by number where they are numbers, and the sum of the others."""

    def weight(row: Row) -> float:
        return max(points(row, "share"), points(row, "paper_share") if row["paper_share"] else 0)

    ranked = sorted(part, key=lambda row: (-weight(row), row["value"]))
    kept, others = ranked[:SHOWN], ranked[SHOWN:]
    if part and part[0]["quantity"] in NUMERIC:
        kept = sorted(kept, key=lambda row: _order(row["value"]))
    else:
        kept = sorted(kept, key=lambda row: (-points(row, "share"), -weight(row), row["value"]))
    if others:
        total = {
            column: str(sum(float(row[column] or 0) for row in others))
            for column in ("share", "paper_share")
        }
        known = any(row["paper_share"] for row in others)
        kept.append(
            {
                "value": f"{len(others)} other values",
                "share": total["share"],
                "paper_share": total["paper_share"] if known else "",
            }
        )
    return kept


def _order(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return float("inf")
