"""Figure: accuracy against K, recycled against randomly re-initialised LoRAs."""

from job import Job, run
from recycling.files import read_tsv
from recycling.plots.k_sweep import draw
from recycling.plots.style import save


def main(job: Job) -> None:
    margin = job.params["settings"]["margin"]
    figure = draw(read_tsv(job.input.table), read_tsv(job.input.differences), margin)
    save(figure, (job.output.svg, job.output.png))


if __name__ == "__main__":
    run(main)
