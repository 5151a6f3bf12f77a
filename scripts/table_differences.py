"""The claims' comparisons task by task, seed by seed."""

from job import Job, run
from recycling.analysis.differences_table import COLUMNS, differences_table
from recycling.analysis.runs import load_runs
from recycling.files import write_tsv


def main(job: Job) -> None:
    write_tsv(job.output.tsv, COLUMNS, differences_table(load_runs(job.input.runs)))


if __name__ == "__main__":
    run(main)
