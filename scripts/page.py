"""The page of one exhibit: its table in Markdown, in HTML for the report, and in LaTeX."""

from job import Job, run_job
from recycling.analysis.html import html_page
from recycling.analysis.markup import latex_table, markdown_page
from recycling.files import read_table, write_text
from recycling.plugins import load_file


def main(job: Job) -> None:
    page = load_file(job.params["exhibit"]).page(read_table(job.input.data))
    markdown = markdown_page(page)
    write_text(job.output.markdown, markdown)
    write_text(job.output.html, html_page("Table", markdown))
    write_text(job.output.latex, latex_table(page))


if __name__ == "__main__":
    run_job(main)
