"""The paper's reported figures (resources/reported.tsv), to stand beside the study's own.

All of them are second-hand: read from a digest of arXiv 2602.12323, not from the paper itself.
Columns: setting (llama, qwen, low_data), experiment (the exhibit's question), then the columns of
runs.tsv that say which runs are meant, value (mean accuracy over tasks), locator, note.
"""

from pathlib import Path

import pandas as pd

from recycling.analysis.runs import BASELINES, Where
from recycling.errors import UserError

IDENTITY = ("method", "variant", "selection", "target", "reinit")


def load_reported(path: str | Path, setting: str | None) -> pd.DataFrame:
    """The rows of one setting of the paper; none where the study has no counterpart there."""
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    table["value"] = table["value"].astype(float)
    known = sorted(set(table["setting"]))
    if setting and setting not in known:
        raise UserError(f"{path}: no setting '{setting}'; it has {', '.join(known)}")
    return table[table["setting"] == setting].reset_index(drop=True)


def reported_value(
    table: pd.DataFrame, where: Where, exhibit: str | None
) -> tuple[float, str] | None:
    """The paper's mean accuracy for such runs and its locator; of several, the exhibit's first.

    exhibit: None where the paper has no figure that can be read.
    K is not compared: the paper's figures are for its largest K, and stand beside the study's.
    """
    if exhibit is None:
        return None
    names = ("method", "variant") if where["method"] in BASELINES else IDENTITY
    identity = {"skip": 0, "reinit": "none", "selection": "", "variant": "", **where}
    fits = table["skip"] == str(identity["skip"])
    for name in names:
        fits &= table[name] == identity[name]
    matches = table[fits]
    if matches.empty:
        return None
    matches = matches.assign(_other=matches["experiment"] != exhibit).sort_values(
        "_other", kind="stable"
    )
    return float(matches["value"].iloc[0]), str(matches["locator"].iloc[0])


def reported_difference(
    table: pd.DataFrame, minuend: Where, subtrahend: Where, exhibit: str | None
) -> tuple[float, str] | None:
    """The difference of the paper's two figures, and what it is; None where one is not known."""
    a = reported_value(table, minuend, exhibit)
    b = reported_value(table, subtrahend, exhibit)
    if a is None or b is None:
        return None
    places = a[1] if a[1] == b[1] else f"{a[1]}, {b[1]}"
    return round(a[0] - b[0], 6), f"{a[0]:.3f} − {b[0]:.3f} ({places})"
