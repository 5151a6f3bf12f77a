"""Tables as Markdown and LaTeX in which any text stays text."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from recycling.files import atomic

# Cc, Cf, Cs, Co, Cn: control, format (direction marks), surrogate, private, unassigned characters.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_MARKDOWN = {character: f"\\{character}" for character in r"\`*_[]|~#$^!"} | {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
}
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "−": r"$-$",
    "±": r"$\pm$",
    "π": r"$\pi$",
    "≥": r"$\geq$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def printable(text: str) -> str:
    """The text on one line, unprintable characters shown as U+FFFD."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in UNPRINTABLE else character
        for character in text
    )


def markdown(text: str) -> str:
    """Text for a Markdown table cell, with everything that Markdown or HTML would read escaped."""
    return "".join(_MARKDOWN.get(character, character) for character in printable(text))


def latex(text: str) -> str:
    """Text for a LaTeX table cell."""
    return "".join(_LATEX.get(character, character) for character in printable(text))


def write_markdown(
    path: str | Path,
    title: str,
    heads: Mapping[str, str],
    rows: Sequence[Mapping[str, str]],
    note: str = "",
) -> None:
    """A Markdown page with one table, as of `table_lines`, and a note below."""
    lines = [f"# {markdown(title)}", "", *table_lines(heads, rows)]
    if note:
        lines += ["", markdown(note)]
    with atomic(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def table_lines(heads: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> list[str]:
    """A Markdown table. heads: column to its head, in order.

    The first column is left-aligned, the others right-aligned.
    """
    return [
        _row(markdown(head) for head in heads.values()),
        _row(":--" if not index else "--:" for index in range(len(heads))),
        *(_row(markdown(row.get(name, "")) for name in heads) for row in rows),
    ]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def write_latex(
    path: str | Path,
    caption: str,
    heads: Mapping[str, str],
    rows: Sequence[Mapping[str, str]],
) -> None:
    """A LaTeX table environment (booktabs) of the same content."""
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex(caption)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
        r"\toprule",
        " & ".join(latex(head) for head in heads.values()) + r" \\",
        r"\midrule",
        *(" & ".join(latex(row.get(name, "")) for name in heads) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    with atomic(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
