"""What single pool adapters add to the base, task by task."""

from job import Job, run
from recycling.analysis.gains_page import write_gains_page
from recycling.analysis.gains_table import COLUMNS, gains_table
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    settings = job.params["settings"]
    rows = [row for path in job.input.scores for row in read_tsv(path)]
    write_tsv(job.output.tsv, COLUMNS, gains_table(rows, settings["tasks"], settings["splits"]))
    write_gains_page(job.output.markdown, read_tsv(job.output.tsv))


if __name__ == "__main__":
    run(main)
