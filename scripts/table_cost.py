"""What a run of each method costs in time, beside its accuracy."""

from job import Job, run
from recycling.analysis.cost_table import COLUMNS, cost_table
from recycling.analysis.runs import load_runs
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    rows = cost_table(load_runs(job.input.runs), read_tsv(job.input.main))
    write_tsv(job.output.tsv, COLUMNS, rows)


if __name__ == "__main__":
    run(main)
