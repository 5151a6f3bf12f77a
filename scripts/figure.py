"""The figure of one exhibit, drawn from its table."""

from job import Job, run_job
from recycling.files import read_table
from recycling.plots.style import save
from recycling.plugins import load_file


def main(job: Job) -> None:
    figure = load_file(job.params["exhibit"])
    inputs = {name: read_table(path) for name, path in vars(job.input).items()}
    rows = inputs.pop("data")
    save(figure.draw(rows, **inputs, **job.params["settings"]), (job.output.svg, job.output.png))


if __name__ == "__main__":
    run_job(main)
