"""Figure: the claims' effects against what they say."""

from job import Job, run
from recycling.files import read_json
from recycling.plots.claims import draw
from recycling.plots.style import save


def main(job: Job) -> None:
    save(draw(read_json(job.input.claims)), (job.output.svg, job.output.png))


if __name__ == "__main__":
    run(main)
