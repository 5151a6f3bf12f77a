"""The main table as people read it: a method a row; in LaTeX without and with side by side."""

from collections.abc import Sequence

from recycling.analysis import cells
from recycling.analysis.cells import Row
from recycling.analysis.markup import Page
from recycling.analysis.names import run_label

TITLE = "Mean accuracy in % over tasks, without and with the target LoRA in the pool"
NOTE = (
    "Accuracy: mean over tasks of the mean over seeds. Difference: from the target LoRA, paired by "
    "task and seed, in percentage points, with its 95 % interval (hierarchical bootstrap over "
    "tasks and seeds within tasks) and tasks won/tied/lost. p: Wilcoxon signed-rank over tasks, "
    "with Holm's correction over the table. Paper: the figure that the paper reports for its own "
    "study, second-hand."
)
HEADS = {
    "name": "Method",
    "k": "K",
    "n": "Tasks × seeds",
    "target": "Target LoRA",
    "accuracy": "Accuracy",
    "difference": "Difference",
    "interval": "95 % interval",
    "record": "W/T/L",
    "p": "p (Holm)",
    "paper": "Paper",
}
LATEX_HEADS = {
    "name": "Method",
    "k": "K",
    "without": "Without",
    "without_paper": "Paper",
    "with": "With",
    "with_paper": "Paper",
}


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table. Every column in Markdown, the paper's layout in LaTeX."""
    lines = [
        {
            **cells.comparison(row),
            "name": _name(row),
            "k": cells.selection_size(row),
            "target": row["target"],
            "p": cells.p(row),
            "paper": cells.accuracy(row, "reported"),
        }
        for row in rows
    ]
    return Page(TITLE, HEADS, lines, NOTE, LATEX_HEADS, _side_by_side(rows))


def _side_by_side(rows: Sequence[Row]) -> list[dict[str, str]]:
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        name, k = _name(row), cells.selection_size(row)
        line = lines.setdefault((name, k), {"name": name, "k": k})
        line[row["target"]] = cells.accuracy(row)
        line[f"{row['target']}_paper"] = cells.accuracy(row, "reported")
    return list(lines.values())


def _name(row: Row) -> str:
    return run_label(row["method"], row["selection"], int(row["k"]), row["target"])
