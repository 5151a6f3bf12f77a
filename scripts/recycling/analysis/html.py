"""Markdown as HTML that is safe to show."""

from html import escape

from markdown_it import MarkdownIt

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 2em; max-width: 75em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .3em .8em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #222; }
"""


def to_html(markdown: str) -> str:
    """The body of a page. Names and licences in tables come from strangers: HTML in the Markdown
    stays text, and nothing becomes a link or an image.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.disable(["link", "autolink", "image", "reference"])
    return parser.render(markdown)


def html_page(title: str, markdown: str) -> str:
    """A whole page in the style of the report's tables."""
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style>\n<body>\n{to_html(markdown)}</body></html>\n"
    )
