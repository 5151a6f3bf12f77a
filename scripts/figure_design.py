"""Figure: the ablations of the design, one axis a row of panels, one K a column."""

from job import Job, run
from recycling.files import read_tsv
from recycling.plots.design import draw
from recycling.plots.style import save


def main(job: Job) -> None:
    save(draw(read_tsv(job.input.table)), (job.output.svg, job.output.png))


if __name__ == "__main__":
    run(main)
