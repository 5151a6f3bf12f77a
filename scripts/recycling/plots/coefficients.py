"""Figure: the tuned coefficients of one merge, by adapter, module kind and layer."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from recycling.analysis.names import selection_label
from recycling.plots.rows import Row, number
from recycling.plots.style import WIDTH, frame, new_figure, nothing, plain

KINDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

QUESTION = "Which adapters does a merge use, and where?"


def draw(rows: Sequence[Row]) -> Figure:
    """rows: of the coefficients' table."""
    if not rows:
        return nothing(QUESTION, "no merge with coefficients in this study")
    adapters = dict(sorted({int(row["place"]): row["adapter"] for row in rows}.items()))
    found = {row["kind"] for row in rows}
    kinds = [kind for kind in KINDS if kind in found] + sorted(found - set(KINDS))
    layers = sorted({row["layer"] for row in rows}, key=lambda text: int(text or -1))
    figure = new_figure(WIDTH, 0.8 + 0.165 * max(6, len(adapters)))
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    values = [number(row, "coefficient") for row in rows]
    cmap, norm = _colours(values)
    order = {place: y for y, place in enumerate(adapters)}
    for axes, kind in zip(panels, kinds, strict=True):
        grid = np.full((len(adapters), len(layers)), np.nan)
        for row in rows:
            if row["kind"] == kind:
                grid[order[int(row["place"])], layers.index(row["layer"])] = number(
                    row, "coefficient"
                )
        axes.patch.set(facecolor="white", hatch="//////", edgecolor="#c8c8c8", linewidth=0)
        mesh = axes.pcolormesh(np.ma.masked_invalid(grid), cmap=cmap, norm=norm)
        if norm.vmin:
            y, x = np.nonzero(grid < norm.vmin / 10)
            axes.plot(x + 0.5, y + 0.5, ".", color="black", markersize=1, markeredgewidth=0)
        axes.set_title(plain(kind.removesuffix("_proj"), 12), fontsize=8.5)
        shown = sorted({0, len(layers) // 2, len(layers) - 1})
        axes.set_xticks([place + 0.5 for place in shown], [layers[place] for place in shown])
        axes.tick_params(length=0, labelsize=7)
        axes.spines[:].set_visible(False)
    names = [
        "target LoRA" if rows[0]["target"] == "with" and place == 0 else plain(name, 34)
        for place, name in adapters.items()
    ]
    panels[0].set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7 if len(names) < 40 else 5)
    panels[0].invert_yaxis()
    figure.colorbar(mesh, ax=panels, label="coefficient", fraction=0.04, pad=0.01, aspect=30)
    panels[len(kinds) // 2].set_xlabel("layer")
    note = (
        f"{_of(rows[0])}. {len(adapters)} adapters, in the order of the selection; coefficients "
        "after their activation. Hatched: the adapter has no such module."
        + (" Dots: negative." if norm.vmin else "")
    )
    frame(figure, QUESTION, note)
    return figure


def _colours(values: Sequence[float]) -> tuple[str, Normalize]:
    """One-sided shades where hardly a coefficient is negative, else two-sided around zero."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    most = max(abs(low), abs(high)) or 1.0
    if low > -0.1 * most:
        return "Oranges", Normalize(0, most)
    return "PuOr_r", Normalize(-most, most)


def _of(run: Row) -> str:
    words = f"Task {plain(run['task'], 30)}, seed {run['seed']}"
    return f"{words}, {selection_label(run['selection'])}" if run["selection"] else words
