"""The table of one exhibit."""

from job import Job, run_job
from recycling.exhibits.source import Source
from recycling.files import write_tsv
from recycling.plugins import load_file


def main(job: Job) -> None:
    table = load_file(job.params["exhibit"])
    inputs = vars(job.input)
    source = Source(inputs, job.params["settings"], job.machine["store"])
    write_tsv(job.output.tsv, table.COLUMNS, table.rows(source))


if __name__ == "__main__":
    run_job(main)
