"""Figure: transfer from highly relevant LoRAs, and how it fades as the best ones are skipped."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from recycling.analysis.names import TARGETS
from recycling.plots.rows import Row, number, sizes
from recycling.plots.style import RECYCLED, frame, new_figure, nothing
from recycling.plots.sweep_panel import draw_baselines, draw_series

QUESTION = "Do highly relevant LoRAs in the pool help?"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the table of relevant transfer. Of several K the largest is drawn."""
    merged = [row for row in rows if row["selection"]]
    if not merged:
        return nothing(QUESTION, "no runs with relevant LoRAs in this study")
    k = max(number(row, "k") for row in merged)
    merged = [row for row in merged if number(row, "k") == k]
    figure = new_figure(5.2, 2.9)
    axes = figure.subplots()
    targets = [name for name in ("without", "with") if any(row["target"] == name for row in merged)]
    for target in targets:
        chosen = [row for row in merged if row["target"] == target]
        draw_series(axes, chosen, "skip", RECYCLED, hollow=target == "without")
    draw_baselines(axes, rows)
    axes.set_xticks(sorted({number(row, "skip") for row in merged}))
    axes.set_xlabel("most relevant LoRAs skipped")
    axes.set_ylabel("mean accuracy (%)")
    axes.grid(axis="y")
    handles = [
        Line2D([], [], label=f"Ours, {TARGETS[name]}", mfc="white" if name == "without" else None,
               **RECYCLED.line())
        for name in targets
    ]  # fmt: skip
    note = (
        f"{sizes(merged)}, K = {k:g}. Bars: 95 % interval of the paired difference from "
        "the target LoRA, drawn around the mean."
    )
    frame(figure, QUESTION, note, handles)
    return figure
