"""The study's methods in the paper's frame, with their settings."""

from job import Job, run
from recycling.analysis.methods_table import COLUMNS, methods_table, write_methods_page
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    settings = job.params["settings"]
    rows = methods_table(settings["methods"], settings["experiments"])
    write_tsv(job.output.tsv, COLUMNS, rows)
    write_methods_page(job.output.markdown, read_tsv(job.output.tsv))


if __name__ == "__main__":
    run(main)
