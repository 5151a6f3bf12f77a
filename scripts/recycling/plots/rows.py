"""Table rows as figures read them: every value is text."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

Row = Mapping[str, str]


def number(row: Row, column: str) -> float:
    """The value in a column; NaN where it is blank."""
    return float(row[column]) if row.get(column) else float("nan")


def points(row: Row, column: str) -> float:
    """An accuracy or a difference of accuracies in per cent (percentage points)."""
    return 100 * number(row, column)


def sizes(rows: Iterable[Row]) -> str:
    """'6 tasks, 2 seeds' over rows with n_tasks and n_seeds; ranges where they differ."""
    rows = list(rows)
    words = []
    for column, noun in (("n_tasks", "task"), ("n_seeds", "seed")):
        values = sorted({int(row[column]) for row in rows if row.get(column)})
        if values:
            span = str(values[0]) if len(values) == 1 else f"{values[0]}–{values[-1]}"
            words.append(f"{span} {noun}{'' if span == '1' else 's'}")
    return ", ".join(words)


def grid(
    rows: Sequence[Row], down: str, across: str, value: str, *, percent: bool = False
) -> pd.DataFrame:
    """The values of a column by two others, as heat maps show them; NaN where there is none."""
    read = points if percent else number
    cells = [(row[down], row[across], read(row, value)) for row in rows]
    return pd.DataFrame(cells, columns=[down, across, value]).pivot(
        index=down, columns=across, values=value
    )
