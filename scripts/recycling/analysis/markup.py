"""Tables as Markdown and LaTeX in which any text stays text."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Page:
    """A table as people read it.

    heads: column -> its head, in order. rows: cells by column. note: a paragraph below the table.
    latex_heads, latex_rows: the LaTeX form, where it is laid out in another way.
    """

    title: str
    heads: Mapping[str, str]
    rows: Sequence[Mapping[str, str]]
    note: str = ""
    latex_heads: Mapping[str, str] | None = None
    latex_rows: Sequence[Mapping[str, str]] | None = None


def markdown_page(page: Page) -> str:
    """A page in Markdown: title, table, note."""
    lines = [f"# {markdown(page.title)}", "", *table_lines(page.heads, page.rows)]
    if page.note:
        lines += ["", markdown(page.note)]
    return "\n".join(lines) + "\n"


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


def latex_table(page: Page) -> str:
    """A page's table as a LaTeX table environment (booktabs)."""
    heads, rows = page.latex_heads or page.heads, page.latex_rows or page.rows
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex(page.title)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
        r"\toprule",
        " & ".join(latex(head) for head in heads.values()) + r" \\",
        r"\midrule",
        *(" & ".join(latex(row.get(name, "")) for name in heads) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
