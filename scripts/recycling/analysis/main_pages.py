"""The main table for people: Markdown and LaTeX, a method a row, without and with side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recycling.analysis.markup import write_latex, write_markdown
from recycling.analysis.names import run_label
from recycling.analysis.numbers import p_value, percent, percent_interval, signed_percent

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
    "without": "Without",
    "without_paper": "Paper",
    "with": "With",
    "with_paper": "Paper",
}
DETAIL_HEADS = {
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


def write_main_pages(
    rows: Sequence[Mapping[str, Any]], markdown: str | Path, tex: str | Path
) -> None:
    """rows: as of the TSV. Markdown with every column, LaTeX laid out as in the paper."""
    write_markdown(markdown, TITLE, DETAIL_HEADS, [_detail(row) for row in rows], NOTE)
    write_latex(tex, TITLE, HEADS, _side_by_side(rows))


def _detail(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": _name(row),
        "k": str(row["k"]) if int(row["k"]) else "",
        "n": f"{row['n_tasks']} × {row['n_seeds']}",
        "target": row["target"],
        "accuracy": percent(_number(row["accuracy"])),
        "difference": signed_percent(_number(row.get("difference"))),
        "interval": percent_interval(
            _number(row.get("difference_low")), _number(row.get("difference_high"))
        ),
        "record": f"{row['wins']}/{row['ties']}/{row['losses']}" if row.get("wins") != "" else "",
        "p": p_value(_number(row.get("wilcoxon_p_holm"))),
        "paper": percent(_number(row.get("reported"))),
    }


def _side_by_side(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        k = str(row["k"]) if int(row["k"]) else ""
        line = lines.setdefault((_name(row), k), {"name": _name(row), "k": k})
        line[row["target"]] = percent(_number(row["accuracy"]))
        line[f"{row['target']}_paper"] = percent(_number(row["reported"]))
    return list(lines.values())


def _name(row: Mapping[str, Any]) -> str:
    return run_label(row["method"], row["selection"], int(row["k"]), row["target"])


def _number(text: str | None) -> float | None:
    return float(text) if text else None
