"""What selection by evaluation sees: each adapter's score on each task, and how many tie."""

from pathlib import Path

from job import Job, run
from recycling.analysis.selection_tables import (
    SCORE_COLUMNS,
    TIE_COLUMNS,
    pool_scores,
    tie_widths,
)
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    selections = {Path(path).stem: read_tsv(path) for path in job.input.selections}
    write_tsv(job.output.scores, SCORE_COLUMNS, pool_scores(selections))
    write_tsv(job.output.ties, TIE_COLUMNS, tie_widths(selections))


if __name__ == "__main__":
    run(main)
