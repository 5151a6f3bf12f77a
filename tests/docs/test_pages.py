"""README, CONTRIBUTING and docs/: lines that fit a screen, links that lead to files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path.relative_to(ROOT)
    for path in (*ROOT.glob("README.md"), *ROOT.glob("CONTRIBUTING.md"), *ROOT.glob("docs/*.md"))
]
PROSE, TABLE = 100, 120  # characters in a line
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|\b(?:src|href)=\"([^\"]+)\"")
pytestmark = pytest.mark.parametrize("page", PAGES, ids=str)


def outside_code(page: Path) -> str:
    return FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))


def test_lines_fit_a_screen(page):
    lines = outside_code(page).split("\n")
    assert [line for line in lines if len(line) > (TABLE if line.startswith("|") else PROSE)] == []


def test_relative_links_lead_to_files(page):
    targets = [a or b for a, b in LINK.findall(outside_code(page))]
    files = [target.partition("#")[0] for target in targets if "://" not in target]
    assert [file for file in files if not (ROOT / page.parent / file).exists()] == []
