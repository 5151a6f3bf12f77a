"""Figure: random adapters in the place of recycled ones, against their number."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from recycling.plots.rows import Row, number, sizes
from recycling.plots.style import (
    NOISE,
    RECYCLED,
    WIDTH,
    Mark,
    frame,
    method_mark,
    new_figure,
    nothing,
    reference_line,
)
from recycling.plots.sweep_panel import draw_series

QUESTION = "Is it the recycled weights, or just more coefficients?"
SERIES: Mapping[str, tuple[Mark, str]] = {
    "recycled": (RECYCLED, "recycled, best by evaluation"),
    "re-initialised": (NOISE, "the same, re-initialised"),
    "random basis": (Mark("#117733", "D", dash="-."), "random adapters, any number"),
    "alone": (Mark("#882255", "v"), "target LoRA alone, tuned"),
}


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the table of capacity. Paired differences from the target LoRA against K."""
    if not any(row["series"] == "random basis" for row in rows):
        return nothing(QUESTION, "no merges with random adapters in this study")
    present = [name for name in SERIES if any(row["series"] == name for row in rows)]
    figure = new_figure(WIDTH, 2.6)
    axes = figure.subplots()
    reference_line(axes, 0, "target_lora")
    for place, name in enumerate(present):
        chosen = [row for row in rows if row["series"] == name]
        draw_series(axes, chosen, "k", SERIES[name][0], value="difference",
                    spread=0.035 * (place - (len(present) - 1) / 2))  # fmt: skip
    axes.annotate(
        "target\nLoRA", (1, 0), xycoords=("axes fraction", "data"), xytext=(3, 0), va="center",
        textcoords="offset points", fontsize=7.5, color=method_mark("target_lora").colour,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sorted({number(row, "k") for row in rows})))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("K, number of adapters, the target LoRA among them")
    axes.set_ylabel("− target LoRA (points)")
    axes.grid(axis="y")
    handles = [Line2D([], [], label=SERIES[name][1], **SERIES[name][0].line()) for name in present]
    note = (
        f"{sizes(rows)}. All with the target LoRA. Differences in accuracy from the target LoRA, "
        "paired by task and seed, with 95 % intervals (bootstrap over tasks, seeds within tasks)."
    )
    frame(figure, QUESTION, note, handles, columns=2)
    return figure
