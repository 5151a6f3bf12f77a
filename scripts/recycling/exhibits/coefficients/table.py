"""The tuned coefficients of one merge as a table: adapters by modules."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from recycling.analysis.numbers import exact
from recycling.errors import UserError
from recycling.exhibits.source import Source
from recycling.files import read_json
from recycling.jobs.batch import read_runs
from recycling.store.store import Store

RUN = ("task", "seed", "selection", "target")
COLUMNS = (*RUN, "place", "adapter", "module", "layer", "kind", "coefficient")


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table. Raises UserError if the file of runs lacks the run."""
    path, run = source.inputs["runs"], source.settings["run"]
    for line in read_runs(path):
        if all(line[name] == value for name, value in run.items()):
            folder = Store(source.store).require(line["key"], "the run to be drawn", path)
            return coefficients_table(folder, line)
    raise UserError(f"{path}: no run with {run}")


def coefficients_table(folder: str | Path, run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per adapter and module that it has: the coefficient after its activation.

    folder: with coefficients.json and coefficients.safetensors of a merge. run: the fields of the
    run. layer: the first number in the module's name, blank where there is none; kind: its last
    part.
    """
    folder = Path(folder)
    facts = read_json(folder / "coefficients.json")
    if facts["granularity"] == "rank":
        raise UserError(f"{folder}: coefficients of rank dimensions cannot be drawn by adapter")
    weights = load_file(folder / "coefficients.safetensors")
    rows = []
    for module, members in facts["members"].items():
        layer = re.search(r"\.(\d+)\.", module)
        for place, coefficient in zip(members, weights[module].tolist(), strict=True):
            rows.append(
                {
                    **{name: run[name] for name in RUN},
                    "place": place,
                    "adapter": facts["adapters"][place],
                    "module": module,
                    "layer": layer[1] if layer else "",
                    "kind": module.rsplit(".", 1)[-1],
                    "coefficient": exact(coefficient),
                }
            )
    return sorted(rows, key=lambda row: (row["place"], row["module"]))
