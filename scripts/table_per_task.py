"""Accuracy of every task by every row of the main table."""

from job import Job, run
from recycling.analysis.per_task_table import COLUMNS, per_task_table, write_per_task_page
from recycling.analysis.runs import load_runs
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    rows = per_task_table(load_runs(job.input.runs), read_tsv(job.input.main))
    write_tsv(job.output.tsv, COLUMNS, rows)
    write_per_task_page(job.output.markdown, read_tsv(job.output.tsv))


if __name__ == "__main__":
    run(main)
