"""Coefficients over random adapters, beside those over recycled ones."""

from job import Job, run
from recycling.analysis.capacity_table import COLUMNS, capacity_table
from recycling.analysis.paired import Settings
from recycling.analysis.runs import load_runs
from recycling.analysis.variants_pages import write_capacity_page
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    settings = job.params["settings"]
    rows = capacity_table(
        load_runs(job.input.runs), settings["configured"], Settings(**settings["statistics"])
    )
    write_tsv(job.output.tsv, COLUMNS, rows)
    write_capacity_page(job.output.markdown, read_tsv(job.output.tsv))


if __name__ == "__main__":
    run(main)
