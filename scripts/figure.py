"""The figure of one exhibit, drawn from its table."""

from job import Job, run_job
from recycling.exhibits.exhibit import load_source
from recycling.files import read_table
from recycling.plots.style import save


def main(job: Job) -> None:
    figure = load_source(job.params["exhibit"])
    inputs = {name: read_table(path) for name, path in vars(job.input).items()}
    rows = inputs.pop("data")
    save(figure.draw(rows, **inputs, **job.params["settings"]), (job.output.svg, job.output.png))


if __name__ == "__main__":
    run_job(main)
