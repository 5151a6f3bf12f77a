"""Markdown as HTML that is safe to show."""

from markdown_it import MarkdownIt


def to_html(markdown: str) -> str:
    """The body of a page. Names and licences in tables come from strangers: HTML in the Markdown
    stays text, and nothing becomes a link or an image.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.disable(["link", "autolink", "image", "reference"])
    return parser.render(markdown)
