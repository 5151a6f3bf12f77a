"""Figure: the claims' comparisons task by task."""

from collections.abc import Sequence
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recycling.plots.rows import Row, points
from recycling.plots.style import (
    GREY,
    INK,
    WIDTH,
    frame,
    method_mark,
    new_figure,
    nothing,
    plain,
    stripes,
)

TIE = 1e-7  # percentage points
QUESTIONS = {
    "C1": "Ours without\n− zero-shot",
    "C2": "Ours with\n− target LoRA",
    "C3": "best − random\nselection",
    "C4": "recycled −\nre-initialised",
    "C5": "relevant −\ntarget LoRA",
}

QUESTION = "On which tasks do the claims hold?"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the table of differences. One panel per comparison, one row per task."""
    names = list(dict.fromkeys(row["comparison"] for row in rows))
    if not names:
        return nothing(QUESTION, "no comparison has runs in this study")
    tasks = {row["task"] for row in rows}
    figure = new_figure(WIDTH, 0.95 + 0.165 * max(5, len(tasks)))
    order = _order(rows, names)
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        _panel(axes, name, [row for row in rows if row["comparison"] == name], order)
    size = 8 if len(order) < 30 else 6.5
    panels[0].set_yticks(range(len(order)), [plain(task, 26) for task in order], fontsize=size)
    panels[0].set_ylim(-0.7, len(order) - 0.3)
    note = (
        f"{len(tasks)} tasks, ordered by {names[min(1, len(names) - 1)]}. Large marks: mean over "
        "seeds (filled: better, hollow: worse); small dots: single seeds. Unit: percentage points "
        "of accuracy, paired by task and seed. Every panel has its own scale."
    )
    frame(figure, QUESTION, note)
    return figure


def _panel(axes: Axes, name: str, rows: Sequence[Row], order: Sequence[str]) -> None:
    colour = method_mark("ours").colour
    places = {task: place for place, task in enumerate(order)}
    seeds: dict[int, list[float]] = {}
    for row in rows:
        seeds.setdefault(places[row["task"]], []).append(points(row, "difference"))
    means = {place: fmean(values) for place, values in seeds.items()}
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.hlines(list(means), 0, list(means.values()), color=colour, linewidth=1, alpha=0.6)
    single = [(v, place) for place, values in seeds.items() if len(values) > 1 for v in values]
    axes.plot(*_columns(single), ".", color=GREY, markersize=2.5, linestyle="none")
    better = [(mean, place) for place, mean in means.items() if mean > TIE]
    worse = [(mean, place) for place, mean in means.items() if mean < -TIE]
    equal = [(mean, place) for place, mean in means.items() if abs(mean) <= TIE]
    for marks, marker, face in ((better, ">", colour), (worse, "<", "white"), (equal, "|", GREY)):
        axes.plot(
            *_columns(marks), marker, color=colour, mfc=face, markersize=4.5, linestyle="none"
        )
    axes.set_title(f"{name}\n{QUESTIONS.get(name, plain(rows[0]['effect_is']))}", fontsize=8)
    axes.set_xlabel(f"won {len(better)}, lost {len(worse)}\nof {len(means)}", fontsize=7.5)
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    stripes(axes, len(order))


def _columns(pairs: Sequence[tuple[float, int]]) -> tuple[list[float], list[int]]:
    return [x for x, _ in pairs], [y for _, y in pairs]


def _order(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """Tasks by their mean difference in the second comparison (the question of most interest)."""
    leading = names[min(1, len(names) - 1)]
    values: dict[str, list[float]] = {row["task"]: [] for row in rows}
    for row in rows:
        if row["comparison"] == leading:
            values[row["task"]].append(points(row, "difference"))
    return sorted(values, key=lambda task: (fmean(values[task]) if values[task] else 0, task))
