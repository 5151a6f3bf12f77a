"""Figure: accuracy against K, recycled against randomly re-initialised LoRAs."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from recycling.analysis.names import TARGETS, reinit_label, selection_label
from recycling.plots.rows import Row, number, sizes
from recycling.plots.style import (
    NOISE,
    RANDOM,
    RECYCLED,
    WIDTH,
    Mark,
    empty,
    frame,
    new_figure,
    nothing,
)
from recycling.plots.sweep_panel import draw_baselines, draw_series

QUESTION = "Does it matter which LoRAs are merged, or how many?"


def draw(rows: Sequence[Row], differences: Sequence[Row], margin: float) -> Figure:
    """rows: of the K sweep; differences: of recycled minus re-initialised; margin: in [0, 1]."""
    if not any(row["selection"] for row in rows):
        return nothing(QUESTION, "no merges over K in this study")
    series = _series(rows)
    figure = new_figure(WIDTH, 4.6)
    panels = figure.subplots(2, 2, sharex=True, height_ratios=(1.6, 1))
    panels[1][1].sharey(panels[1][0])
    swept = [row for row in rows if row["selection"]]
    ks = sorted({number(row, "k") for row in swept})
    for column, target in enumerate(("without", "with")):
        upper, lower = panels[0][column], panels[1][column]
        upper.set_title(TARGETS[target])
        for place, (selection, reinit) in enumerate(series):
            chosen = [
                row for row in swept if _is(row, selection, reinit) and row["target"] == target
            ]
            if chosen:
                mark, spread = (
                    series_mark(selection, reinit),
                    0.02 * (place - (len(series) - 1) / 2),
                )
                draw_series(upper, chosen, "k", mark, spread=spread, hollow=reinit != "none")
        draw_baselines(upper, rows)
        _draw_differences(lower, [row for row in differences if row["target"] == target], margin)
        lower.set_xlabel("K, number of LoRAs merged")
        for axes in (upper, lower):
            axes.grid(axis="y")
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(FixedLocator(ks))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_locator(NullLocator())
    panels[0][0].set_ylabel("mean accuracy (%)")
    panels[1][0].set_ylabel("recycled − re-init.\n(percentage points)")
    note = (
        f"{sizes(swept)}. Upper panels, each on its own scale: bars are the 95 % interval of "
        "the paired difference from the target LoRA, drawn around the mean. Lower panels: paired "
        "difference from re-initialised LoRAs of the same selection, 95 % interval; grey band: the "
        f"margin of ±{100 * margin:g} points that counts as no difference."
    )
    handles = [
        Line2D([], [], label=_label(*one), mfc="white" if one[1] != "none" else None,
               **series_mark(*one).line())
        for one in series
    ]  # fmt: skip
    frame(figure, QUESTION, note, handles)
    return figure


def _draw_differences(axes, rows: Sequence[Row], margin: float) -> None:  # type: ignore[no-untyped-def]
    if not rows:
        empty(axes, "no runs with re-initialised LoRAs")
        return
    axes.axhspan(-100 * margin, 100 * margin, color="#ececec", zorder=0)
    axes.axhline(0, color="#6b6b6b", linewidth=0.8)
    for selection in sorted({row["selection"] for row in rows}):
        for reinit in sorted({row["reinit"] for row in rows}):
            chosen = [row for row in rows if _is(row, selection, reinit)]
            if chosen:
                mark = series_mark(selection, "none")
                draw_series(axes, chosen, "k", mark, value="difference")


def _series(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """(selection, re-initialisation) in the order of the legend; 'all' and 'others' are one."""
    found = {(row["selection"], _reinit(row)) for row in rows if row["selection"]}
    return sorted(found, key=lambda pair: (pair[1] != "none", pair[0]))


def _reinit(row: Row) -> str:
    return "others" if row["reinit"] == "all" else row["reinit"]


def _is(row: Row, selection: str, reinit: str) -> bool:
    wanted = "others" if reinit == "all" else reinit
    return row["selection"] == selection and _reinit(row) == wanted


def series_mark(selection: str, reinit: str) -> Mark:
    """Recycled in the colours of their selection, re-initialised in the colour of noise."""
    if reinit != "none":
        marker = {"evaluation": "s", "random": "^"}.get(selection, "D")
        return Mark(NOISE.colour, marker, NOISE.hatch, NOISE.dash)
    return {"evaluation": RECYCLED, "random": RANDOM}.get(selection, Mark("#117733", "D"))


def _label(selection: str, reinit: str) -> str:
    name = selection_label(selection)
    return name if reinit == "none" else f"{name}, {reinit_label(reinit)}"
