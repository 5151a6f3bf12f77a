"""The ablations of the design, one choice at a time."""

from job import Job, run
from recycling.analysis.design_table import COLUMNS, design_table
from recycling.analysis.paired import Settings
from recycling.analysis.runs import load_runs
from recycling.analysis.variants_pages import write_design_page
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    settings = job.params["settings"]
    rows = design_table(
        load_runs(job.input.runs),
        settings["method"],
        settings["configured"],
        Settings(**settings["statistics"]),
    )
    write_tsv(job.output.tsv, COLUMNS, rows)
    write_design_page(job.output.markdown, read_tsv(job.output.tsv))


if __name__ == "__main__":
    run(main)
