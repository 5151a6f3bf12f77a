"""Figure: the target LoRA's hyper-parameters, a heat map for each number of steps."""

from job import Job, run
from recycling.files import read_tsv
from recycling.plots.lora_sweep import draw
from recycling.plots.style import save


def main(job: Job) -> None:
    save(draw(read_tsv(job.input.table)), (job.output.svg, job.output.png))


if __name__ == "__main__":
    run(main)
