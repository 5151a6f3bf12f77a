"""A table's Markdown as an HTML page for the report; whatever looks like HTML in it stays text."""

from pathlib import Path

from job import Job, run
from recycling.analysis.html import to_html
from recycling.files import atomic

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 2em; max-width: 75em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .3em .8em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #222; }
"""


def main(job: Job) -> None:
    body = to_html(Path(job.input.markdown).read_text(encoding="utf-8"))
    with atomic(job.output.html) as temporary:
        temporary.write_text(
            f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Table</title>'
            f"<style>{STYLE}</style>\n<body>\n{body}</body></html>\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    run(main)
