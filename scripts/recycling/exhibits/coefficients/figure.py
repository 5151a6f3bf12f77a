"""Figure: the tuned coefficients of one merge, by adapter, module kind and layer."""

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from recycling.analysis.names import selection_label
from recycling.plots.rows import Row, grid, number
from recycling.plots.style import WIDTH, frame, new_figure, nothing, plain

KINDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

QUESTION = "Which adapters does a merge use, and where?"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the coefficients' table."""
    if not rows:
        return nothing(QUESTION, "no merge with coefficients in this study")
    adapters = dict(sorted({int(row["place"]): row["adapter"] for row in rows}.items()))
    present = {row["kind"] for row in rows}
    kinds = [kind for kind in KINDS if kind in present] + sorted(present - set(KINDS))
    layers = sorted({row["layer"] for row in rows}, key=lambda text: int(text or -1))
    figure = new_figure(WIDTH, 0.8 + 0.165 * max(6, len(adapters)))
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    values = [number(row, "coefficient") for row in rows]
    cmap, low, high = _colours(values)
    for axes, kind in zip(panels, kinds, strict=True):
        chosen = [row for row in rows if row["kind"] == kind]
        shades = grid(chosen, "place", "layer", "coefficient")
        shades = shades.reindex(index=[str(place) for place in adapters], columns=layers)
        axes.patch.set(facecolor="white", hatch="//////", edgecolor="#c8c8c8", linewidth=0)
        sns.heatmap(shades, ax=axes, cmap=cmap, vmin=low, vmax=high, cbar=False, yticklabels=False)
        if low:
            y, x = np.nonzero(shades.to_numpy() < low / 10)
            axes.plot(x + 0.5, y + 0.5, ".", color="black", markersize=1, markeredgewidth=0)
        axes.set_title(plain(kind.removesuffix("_proj"), 12), fontsize=8.5)
        axes.set(xlabel="", ylabel="")
        shown = sorted({0, len(layers) // 2, len(layers) - 1})
        axes.set_xticks(
            [place + 0.5 for place in shown], [layers[place] for place in shown], rotation=0
        )
        axes.tick_params(length=0, labelsize=7)
    names = [
        "target LoRA" if rows[0]["target"] == "with" and place == 0 else plain(name, 34)
        for place, name in adapters.items()
    ]
    panels[0].set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7 if len(names) < 40 else 5)
    figure.colorbar(
        panels[-1].collections[0],
        ax=panels,
        label="coefficient",
        fraction=0.04,
        pad=0.01,
        aspect=30,
    )
    panels[len(kinds) // 2].set_xlabel("layer")
    note = (
        f"{_of(rows[0])}. {len(adapters)} adapters, in the order of the selection; coefficients "
        "after their activation. Hatched: the adapter has no such module."
        + (" Dots: negative." if low else "")
    )
    frame(figure, QUESTION, note)
    return figure


def _colours(values: Sequence[float]) -> tuple[str, float, float]:
    """(colour map, least, greatest): two-sided around zero only where coefficients are negative."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    most = max(abs(low), abs(high)) or 1.0
    if low > -0.1 * most:
        return "Oranges", 0.0, most
    return "PuOr_r", -most, most


def _of(run: Row) -> str:
    words = f"Task {plain(run['task'], 30)}, seed {run['seed']}"
    return f"{words}, {selection_label(run['selection'])}" if run["selection"] else words
