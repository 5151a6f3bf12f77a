"""What became of the candidates, and what the kept adapters look like beside the paper's pool."""

from job import Job, run
from recycling.analysis.pool_tables import (
    FUNNEL_COLUMNS,
    STATISTICS_COLUMNS,
    funnel,
    pool_statistics,
)
from recycling.files import read_json, read_tsv, write_tsv
from recycling.hub.summary import COPY_COLUMNS, LICENCE_COLUMNS, copies, licence_summary


def main(job: Job) -> None:
    pool, rejected = read_tsv(job.input.pool), read_tsv(job.input.rejected)
    write_tsv(job.output.funnel, FUNNEL_COLUMNS, funnel(pool, rejected))
    write_tsv(job.output.licences, LICENCE_COLUMNS, licence_summary(pool))
    write_tsv(job.output.copies, COPY_COLUMNS, copies(pool, rejected))
    statistics = pool_statistics(pool, read_json(job.input.paper))
    write_tsv(job.output.statistics, STATISTICS_COLUMNS, statistics)


if __name__ == "__main__":
    run(main)
