"""Figure: how many adapters tie at the cut of a selection by evaluation."""

from job import Job, run
from recycling.files import read_tsv
from recycling.plots.style import save
from recycling.plots.tie_width import draw


def main(job: Job) -> None:
    save(draw(read_tsv(job.input.table)), (job.output.svg, job.output.png))


if __name__ == "__main__":
    run(main)
