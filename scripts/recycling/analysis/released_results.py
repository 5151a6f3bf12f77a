"""Result tables that the paper's authors released, beside this study's.

Two forms of CSV are read. Tidy: columns `task` and `accuracy`, others are not looked at. Matrix:
one row per adapter (or one row in all), its name in the first column, one column per task.
Accuracies are in [0, 1]; a blank cell is a result that is not there. Anything else is refused in
one line.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recycling.analysis.numbers import exact
from recycling.errors import UserError

KINDS = {
    "pool": "pool adapters alone, on the examples that select",
    "pool_test": "pool adapters alone, on test",
    "zero_shot": "zero-shot",
    "target_lora": "target LoRA",
}
COLUMNS = ("kind", "task", "released", "n_released", "ours", "n_ours", "difference")

# In the released matrix of pool adapters on test some columns bear another task's name. A name that
# stands twice is told apart as pandas does: the second has ".1".
CORRECTED = {
    ("temporal_sequences", "temporal_sequences.1"): ("clinc_oos", "temporal_sequences"),
    ("hyperbaton", "hyperbaton.1"): ("hyperbaton", "aqua_rat"),
    ("twitter_complaints", "twitter_complaints.1"): ("gsm8k", "twitter_complaints"),
}

Results = Mapping[str, Sequence[float]]  # task -> accuracies, one per adapter


def load_released(path: str | Path, kind: str, tasks: Sequence[str]) -> dict[str, list[float]]:
    """task -> accuracies, of the tasks that are known (`tasks`); other columns are named and left.

    kind: of KINDS; the known faults of "pool_test" are corrected. UserError for another form.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except FileNotFoundError:
        raise UserError(f"released.{kind}: {path}: no such file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"released.{kind}: {path}: not a CSV file ({error})") from None
    if len(lines) < 2:
        raise UserError(f"released.{kind}: {path}: no row below a header")
    head, *rows = lines
    where = f"released.{kind}: {path}"
    for number, row in enumerate(rows, 2):
        if len(row) != len(head):
            raise UserError(f"{where}: row {number} has {len(row)} cells, its header {len(head)}")
    cells = (
        _tidy(head, rows) if {"task", "accuracy"} <= set(head) else _matrix(head, rows, where, kind)
    )
    found: dict[str, list[float]] = {}
    unknown: set[str] = set()
    for task, text, number in cells:
        if task not in tasks:
            unknown.add(task)
        elif text.strip():
            found.setdefault(task, []).append(_accuracy(text, f"{where}: row {number}, {task}"))
    if not found:
        raise UserError(
            f"{where}: neither tidy (columns task, accuracy) nor a matrix with a column a task"
        )
    if unknown:
        print(f"{where}: left out, no known task: {', '.join(sorted(unknown))}")
    return found


def _tidy(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, str, int]]:
    task, accuracy = head.index("task"), head.index("accuracy")
    for number, row in enumerate(rows, 2):
        yield row[task], row[accuracy], number


def _matrix(
    head: Sequence[str], rows: Sequence[Sequence[str]], where: str, kind: str
) -> Iterator[tuple[str, str, int]]:
    names = _names(head[1:], where, kind)
    for number, row in enumerate(rows, 2):
        for name, text in zip(names, row[1:], strict=True):
            yield name, text, number


def _names(head: Sequence[str], where: str, kind: str) -> list[str]:
    """The tasks of a matrix's columns, with the known faults corrected."""
    seen: Counter[str] = Counter()
    names = []
    for name in head:
        names.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    if kind == "pool_test":
        for old, new in CORRECTED.items():
            if set(old) <= set(names):
                renamed = dict(zip(old, new, strict=True))
                names = [renamed.get(name, name) for name in names]
    twice = [name for name, count in Counter(names).items() if count > 1]
    twice += [name for name in names if name.rpartition(".")[0] in names and name[-1:].isdigit()]
    if twice:
        raise UserError(f"{where}: two columns for one task: {twice[0]}; rename or remove one")
    return names


def _accuracy(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{where}: '{text}' is not a number") from None
    if not 0 <= value <= 1:
        raise UserError(f"{where}: accuracy {text} is not between 0 and 1")
    return value


def released_table(
    released: Mapping[str, Results], ours: Mapping[str, Results]
) -> list[dict[str, Any]]:
    """One row per kind and task that was released: the two means, their difference.

    released, ours: kind -> task -> accuracies (of adapters, or of seeds). ours is blank where this
    study has no such runs.
    """
    rows = []
    for kind, results in released.items():
        for task in sorted(results):
            theirs, here = results[task], ours.get(kind, {}).get(task, ())
            mean = float(np.mean(theirs))
            rows.append(
                {
                    "kind": kind,
                    "task": task,
                    "released": exact(mean),
                    "n_released": len(theirs),
                    "ours": exact(float(np.mean(here)) if len(here) else None),
                    "n_ours": len(here),
                    "difference": exact(float(np.mean(here)) - mean if len(here) else None),
                }
            )
    return rows
