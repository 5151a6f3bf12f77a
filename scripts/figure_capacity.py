"""Figure: random adapters in the place of recycled ones, against their number."""

from job import Job, run
from recycling.files import read_tsv
from recycling.plots.capacity import draw
from recycling.plots.style import save


def main(job: Job) -> None:
    save(draw(read_tsv(job.input.table)), (job.output.svg, job.output.png))


if __name__ == "__main__":
    run(main)
