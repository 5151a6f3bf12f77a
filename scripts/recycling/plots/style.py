"""The one visual language of all figures: colours, marks, text, and how a figure is saved.

Colours are those of Okabe and Ito (Color Universal Design, 2008) and, beyond eight, of Paul Tol's
muted set, so that they stay apart under colour blindness; each comes with a mark of its own, so
that a figure can be read in grey. A method has one colour in every figure.
"""

import math
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import seaborn as sns
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.layout_engine import ConstrainedLayoutEngine

from recycling.files import atomic

WIDTH = 7.0  # inches: the text width of a page
POOL = "#3B5566"  # counts of adapters, in no method's colour
INK, GREY, PALE = "#1a1a1a", "#6b6b6b", "#e4e4e4"

# What departs from seaborn's theme for papers.
RC: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "grid.color": PALE,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.markersize": 5.5,
    "hatch.linewidth": 0.6,
    # One resolution for laying out and for drawing: hinted text is wider at some than at others.
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "text.hinting": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "recycling",
    # Names come from the wild: a dollar sign is a dollar sign.
    "text.parse_math": False,
    "text.usetex": False,
}


def use_theme() -> None:
    """Draw in this style from now on."""
    sns.set_theme(context="paper", style="ticks", rc=RC)


@dataclass(frozen=True)
class Mark:
    """How something is drawn. hatch: for bars; dash: for lines."""

    colour: str
    marker: str
    hatch: str = ""
    dash: str = "-"

    def line(self) -> dict[str, Any]:
        """Keywords for Axes.plot and Axes.errorbar."""
        return {"color": self.colour, "marker": self.marker, "linestyle": self.dash}


METHODS = {
    "zero_shot": Mark("#7f7f7f", "X", "....", ":"),
    "target_lora": Mark("#000000", "s", "", "--"),
    "average": Mark("#56B4E9", "o", "//"),
    "task_arithmetic": Mark("#88CCEE", "P", "xx"),
    "ties": Mark("#0072B2", "^", "\\\\"),
    "dare": Mark("#332288", "v", "--"),
    "tsv": Mark("#009E73", "D", "||"),
    "arrow": Mark("#999933", ">", "++"),
    "arrow_trained": Mark("#6B6B1F", "8", "++"),
    "adamerging": Mark("#CC79A7", "p", "oo"),
    "lorahub": Mark("#882255", "h", "OO"),
    "pi_tuning": Mark("#8C6D1F", "<", "**"),
    "ours": Mark("#D55E00", "o", ""),
}
UNKNOWN = Mark("#44AA99", "d", "///")
# What the paper's method merges: its own colour for the recycled, best ones.
RECYCLED = METHODS["ours"]
RANDOM = Mark("#E69F00", "^", "//", (0, (5, 1.5)))  # type: ignore[arg-type]
NOISE = Mark("#4477AA", "s", "..", (0, (1, 1)))  # type: ignore[arg-type]
PAPER = Mark("#000000", "d")

# Verdicts are no methods: colours that no method has.
VERDICTS = {"supported": "#1B6E3C", "contradicted": "#A3195B", "inconclusive": "#5A5A5A"}


def method_mark(method: str) -> Mark:
    """The mark of a method, the same in every figure."""
    return METHODS.get(method, UNKNOWN)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in this style, in inches."""
    use_theme()
    return Figure(figsize=(width, height), layout="constrained")


def settle(figure: Figure) -> None:
    """Lay the figure out for good, so that every format shows the same.

    Positions are rounded, because the layout's solver leaves the last bits to the order of objects
    in memory.
    """
    use_theme()
    if not isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        return  # settled already
    for _ in range(2):  # ticks change with the panels' sizes, and these with the ticks' labels
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        bounds = axes.get_position(original=True).bounds
        axes.set_position(tuple(round(value, 6) for value in bounds))


def save(figure: Figure, paths: Sequence[str | Path]) -> None:
    """Write the figure once a path, format by suffix; the same figure gives the same bytes."""
    settle(figure)
    for path in map(Path, paths):
        kind = path.suffix[1:]
        metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
        with atomic(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata, facecolor="white")


def frame(
    figure: Figure, question: str, note: str, handles: Sequence[Artist] = (), columns: int = 0
) -> None:
    """Add the question that the panels answer and a legend above them, a grey note below.

    The figure grows by what this takes, so its size so far is that of the panels. columns: of the
    legend; all handles in one row unless given.
    """
    width, height = figure.get_size_inches()
    note = note.replace(" %", "\N{NO-BREAK SPACE}%")
    lines = [part for line in note.splitlines() for part in textwrap.wrap(line, int(17.3 * width))]
    rows = math.ceil(len(handles) / (columns or len(handles))) if handles else 0
    top, bottom = 0.3 + 0.19 * rows + 0.05, 0.14 * len(lines) + 0.1
    total = height + top + bottom
    figure.set_size_inches(width, total)
    layout = figure.get_layout_engine()
    assert layout is not None
    layout.set(rect=(0, bottom / total, 1, height / total))  # type: ignore[call-arg]
    left = 0.06 / width
    figure.text(
        left, 1 - 0.06 / total, question, va="top", fontsize=10.5, fontweight="bold"
    ).set_in_layout(False)
    figure.text(
        left,
        0.05 / total,
        "\n".join(lines),
        va="bottom",
        fontsize=7.5,
        color=GREY,
        linespacing=1.25,
    ).set_in_layout(False)
    if handles:
        figure.legend(
            handles=handles, ncols=columns or len(handles), loc="upper left",
            bbox_to_anchor=(0, 1 - 0.28 / total), borderpad=0.2, borderaxespad=0.2,
            handletextpad=0.5, columnspacing=1.6,
        ).set_in_layout(False)  # fmt: skip


def plain(text: str, width: int = 40) -> str:
    """Any text as one printable line of at most `width` characters, cut in the middle.

    Characters that the figures' font lacks, and control and direction marks, become U+FFFD.
    """
    text = "".join(
        character if _drawable(character) else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


@cache
def _drawable(character: str) -> bool:
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return False
    return _font().get_char_index(ord(character)) != 0


@cache
def _font() -> FT2Font:
    return FT2Font(font_manager.findfont("DejaVu Sans"))


def reference_line(axes: Axes, value: float, method: str, *, vertical: bool = False) -> None:
    """A baseline across the panel in its method's colour and dash."""
    draw = axes.axvline if vertical else axes.axhline
    mark = method_mark(method)
    draw(value, color=mark.colour, linestyle=mark.dash, linewidth=1.1, zorder=1)


def stripes(axes: Axes, count: int) -> None:
    """Every other row of a chart with `count` rows on a pale ground, to lead the eye."""
    for place in range(0, count, 2):
        axes.axhspan(place - 0.5, place + 0.5, color="#f5f5f5", linewidth=0, zorder=0)


def empty(axes: Axes, words: str) -> None:
    """A panel with nothing to show says so."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=GREY, transform=axes.transAxes)


def nothing(question: str, words: str) -> Figure:
    """The figure of a study that has no answer to the question."""
    figure = new_figure(5.2, 1.0)
    empty(figure.subplots(), words)
    frame(figure, question, "")
    return figure
