"""The tuned coefficients of one run as a table: adapters by modules."""

from job import Job, run
from recycling.analysis.coefficients_table import COLUMNS, coefficients_table
from recycling.errors import UserError
from recycling.files import write_tsv
from recycling.jobs.batch import read_runs
from recycling.store.store import Store


def main(job: Job) -> None:
    wanted = job.params["settings"]["run"]
    for line in read_runs(job.input.runs):
        if all(line[name] == value for name, value in wanted.items()):
            folder = Store(job.machine["store"]).require(
                line["key"], "the run to be drawn", job.input.runs
            )
            write_tsv(job.output.tsv, COLUMNS, coefficients_table(folder, line))
            return
    raise UserError(f"{job.input.runs}: no run with {wanted}")


if __name__ == "__main__":
    run(main)
