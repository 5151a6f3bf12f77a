"""Any text stays text in Markdown and LaTeX."""

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from recycling.analysis.markup import Page, latex, latex_table, markdown, markdown_page, printable
from recycling.analysis.numbers import (
    exact,
    p_value,
    percent,
    percent_interval,
    signed_percent,
)

HOSTILE = "<script>alert(1)</script> [x](javascript:1) | `code` **b** $x_1$ &amp; \\ ~~s~~ ![i](u)"


@given(st.text(max_size=60))
@example(HOSTILE)
@example("\\|")
@example("1. http://example.org")
def test_a_markdown_cell_shows_exactly_the_text(text):
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    source = f"| a | b |\n| -- | -- |\n| x{markdown(text)}x | second |\n"
    rendered = parser.render(source)
    (shown,) = re.findall(r"<td>(x.*x)</td>\n<td>second</td>", rendered, re.DOTALL)
    assert "<" not in shown
    assert html.unescape(shown) == f"x{printable(text)}x"


@given(st.text(max_size=60))
@example(HOSTILE)
def test_a_latex_cell_has_no_live_character(text):
    rest = latex(text)
    for escaped in (
        r"\textbackslash{}", r"\textasciicircum{}", r"\textasciitilde{}", r"\textless{}",
        r"\textgreater{}", r"$\geq$", r"$\pi$", r"$\pm$", "$-$",
        r"\{", r"\}", r"\$", r"\&", r"\#", r"\%", r"\_",
    ):  # fmt: skip
        rest = rest.replace(escaped, "")
    assert not set(rest) & set("\\{}$&#%_^~<>")


def test_control_and_direction_characters_are_shown_as_replaced():
    assert printable("a\u202eb\x07c\nd") == "a�b�c�d"


def test_pages_have_one_row_a_line():
    heads = {"a": "A|", "b": "B"}
    rows = [{"a": "x\ny", "b": "1"}, {"a": HOSTILE}]
    page = Page("T", heads, rows, "Note")
    lines = markdown_page(page).splitlines()
    assert len(lines) == 8
    assert lines[3] == "| :-- | --: |"
    assert latex_table(page).count(r" \\") == 3


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (exact(0.1234567), "0.123457"),
        (exact(None), ""),
        (exact(float("nan")), ""),
        (percent(0.6749), "67.5"),
        (percent(None), "–"),
        (signed_percent(-0.004), "−0.4"),
        (signed_percent(0.018), "+1.8"),
        (percent_interval(-0.012, 0.03), "[−1.2, +3.0]"),
        (percent_interval(None, None), ""),
        (p_value(0.00004), "<0.001"),
        (p_value(0.0312), "0.031"),
        (p_value(None), "–"),
    ],
)
def test_numbers_for_people(shown, expected):
    assert shown == expected
