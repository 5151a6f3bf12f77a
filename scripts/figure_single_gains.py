"""Figure: what single pool adapters add to the base, task by task."""

from job import Job, run
from recycling.files import read_tsv
from recycling.plots.single_gains import draw
from recycling.plots.style import save


def main(job: Job) -> None:
    save(draw(read_tsv(job.input.table)), (job.output.svg, job.output.png))


if __name__ == "__main__":
    run(main)
