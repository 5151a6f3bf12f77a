"""Figure: the tuned coefficients of one merge, by adapter, module kind and layer."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from recycling.plots.rows import Row, number
from recycling.plots.style import WIDTH, frame, new_figure, plain

KINDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def draw(rows: Sequence[Row], run: Mapping[str, object]) -> Figure:
    """rows: of the coefficients' table; run: the fields of the run, for the note."""
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
                grid[order[int(row["place"])], layers.index(row["layer"])] = number(row, "coefficient")
        axes.set_facecolor("#efefef")
        mesh = axes.pcolormesh(np.ma.masked_invalid(grid), cmap=cmap, norm=norm)
        axes.set_title(plain(kind.removesuffix("_proj"), 12), fontsize=8.5)
        step = max(1, len(layers) // 4)
        axes.set_xticks(np.arange(0, len(layers), step) + 0.5, [plain(t, 6) for t in layers[::step]])
        axes.tick_params(length=0, labelsize=7)
        axes.spines[:].set_visible(False)
    names = [
        "target LoRA" if run.get("target") == "with" and place == 0 else plain(name, 34)
        for place, name in adapters.items()
    ]
    panels[0].set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7 if len(names) < 40 else 5)
    panels[0].invert_yaxis()
    figure.colorbar(mesh, ax=panels, label="coefficient", fraction=0.04, pad=0.01, aspect=30)
    figure.supxlabel("layer", fontsize=8.5)
    note = (
        f"{_of(run)}. {len(adapters)} adapters, best first; coefficients after their activation. "
        "Grey: the adapter has no such module."
    )
    frame(figure, "Which adapters does a merge use, and where?", note)
    return figure


def _colours(values: Sequence[float]) -> tuple[str, Normalize]:
    """One-sided shades where hardly a coefficient is negative, else two-sided around zero."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    most = max(abs(low), abs(high)) or 1.0
    if low > -0.1 * most:
        return "cividis_r", Normalize(0, most)
    return "PuOr", Normalize(-most, most)


def _of(run: Mapping[str, object]) -> str:
    parts = [f"Task {plain(str(run.get('task', '?')), 30)}", f"seed {run.get('seed', '?')}"]
    if run.get("selection"):
        parts.append(f"{run['selection']} selection")
    return ", ".join(parts)
