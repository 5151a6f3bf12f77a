"""The main table: every method without and with the target LoRA, the paper's figure beside."""

from job import Job, run
from recycling.analysis.main_pages import write_main_pages
from recycling.analysis.main_table import COLUMNS, main_table
from recycling.analysis.paired import Settings
from recycling.analysis.reported import load_reported
from recycling.analysis.runs import load_runs
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    settings = job.params["settings"]
    rows = main_table(
        load_runs(job.input.runs),
        load_reported(job.input.reported, settings["paper"]),
        Settings(**settings["statistics"]),
    )
    write_tsv(job.output.tsv, COLUMNS, rows)
    write_main_pages(read_tsv(job.output.tsv), job.output.markdown, job.output.latex)


if __name__ == "__main__":
    run(main)
