"""Figure: every method without and with the target LoRA."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from recycling.analysis.names import run_label
from recycling.plots.rows import Row, points, sizes
from recycling.plots.style import (
    INK,
    PAPER,
    WIDTH,
    frame,
    method_mark,
    new_figure,
    plain,
    reference_line,
    stripes,
)

BASELINES = ("zero_shot", "target_lora")
OFFSET = {"without": 0.17, "with": -0.17}


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the main table. Left accuracies, right paired differences from the target LoRA."""
    labels = list(dict.fromkeys(_label(row) for row in rows))
    places = {label: len(labels) - 1 - index for index, label in enumerate(labels)}
    figure = new_figure(WIDTH, 0.7 + 0.33 * len(labels))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.15, 1))
    for row in rows:
        merged = row["method"] not in BASELINES
        y = places[_label(row)] + (OFFSET[row["target"]] if row["k"] not in ("0", "1") else 0)
        mark = method_mark(row["method"])
        filled = row["target"] == "with" or not merged
        face = mark.colour if filled else "white"
        style = {"marker": mark.marker, "color": mark.colour, "mfc": face, "linestyle": "none"}
        left.plot(points(row, "accuracy"), y, **style)
        if row["reported"]:
            left.plot(
                points(row, "reported"), y, marker=PAPER.marker, mfc="white", mec=INK, ms=4.5,
                linestyle="none", zorder=1,
            )  # fmt: skip
        if row["difference"]:
            right.errorbar(
                points(row, "difference"), y,
                xerr=[[points(row, "difference") - points(row, "difference_low")],
                      [points(row, "difference_high") - points(row, "difference")]]
                if row["difference_low"] else None,
                **style, capsize=2.5, elinewidth=1.2,
            )  # fmt: skip
    for row in rows:
        if row["method"] in BASELINES:
            reference_line(left, points(row, "accuracy"), row["method"], vertical=True)
    reference_line(right, 0, "target_lora", vertical=True)
    left.set_yticks(list(places.values()), [plain(label, 38) for label in places])
    left.set_ylim(-0.6, len(labels) - 0.4)
    left.set_xlabel("mean accuracy over tasks (%)")
    right.set_xlabel("percentage points")
    for axes in (left, right):
        stripes(axes, len(labels))
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    left.set_title("Accuracy")
    right.set_title("Accuracy − target LoRA")
    note = (
        f"{sizes(rows)}. Bars: 95 % interval of the mean difference, paired by task and "
        "seed (bootstrap over tasks, seeds within tasks)."
    )
    question = "Does merging public LoRAs beat a LoRA trained on the same examples?"
    frame(figure, question, note, _legend(rows))
    return figure


def _label(row: Row) -> str:
    return run_label(row["method"], row["selection"], int(row["k"]), row["target"])


def _legend(rows: Sequence[Row]) -> list[Line2D]:
    def handle(label: str, marker: str, face: str, size: float = 5.5) -> Line2D:
        return Line2D(
            [], [], color=INK, marker=marker, mfc=face, linestyle="none", label=label, ms=size
        )

    handles = [
        handle("without target LoRA", "o", "white"),
        handle("with target LoRA in the pool", "o", INK),
    ]
    if any(row["reported"] for row in rows):
        handles.append(handle("reported in the paper", PAPER.marker, "white", 4.5))
    return handles
