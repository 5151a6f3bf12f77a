"""Figure: accuracy against the time that a run takes."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from recycling.analysis.names import method_label
from recycling.plots.rows import Row, number, points
from recycling.plots.style import WIDTH, frame, method_mark, new_figure, nothing, plain

QUESTION = "What does the accuracy cost?"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the table of costs. One mark per row, hollow without target LoRA."""
    rows = [row for row in rows if row["seconds"] not in ("", "nan")]
    if not rows:
        return nothing(QUESTION, "no run has a time")
    figure = new_figure(WIDTH, 3.0)
    axes = figure.subplots()
    handles: dict[str, Line2D] = {}
    for row in rows:
        mark, seconds = method_mark(row["method"]), number(row, "seconds")
        hollow = row["target"] == "without" and row["method"] != "zero_shot"
        style: dict[str, Any] = {
            "marker": mark.marker, "color": mark.colour, "linestyle": "none",
            "mfc": "white" if hollow else mark.colour,
        }  # fmt: skip
        axes.errorbar(
            seconds, points(row, "accuracy"), elinewidth=0.9,
            xerr=[[seconds - number(row, "seconds_low")], [number(row, "seconds_high") - seconds]],
            **style,
        )  # fmt: skip
        label = plain(method_label(row["method"]), 34)
        style["mfc"] = mark.colour
        handles.setdefault(label, Line2D([], [], label=label, **style))
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("seconds a run (tuning and scoring)")
    axes.set_ylabel("mean accuracy (%)")
    axes.grid()
    note = (
        "Median over tasks and seeds, bars: quartiles. Hollow: without target LoRA. Training the "
        "target LoRA and scoring the pool are not in the time of a merge. Wall-clock on the "
        "machines that computed the runs."
    )
    frame(figure, QUESTION, note, list(handles.values()), columns=4)
    return figure
