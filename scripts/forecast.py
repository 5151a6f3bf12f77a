"""What the study still has to do, and what it will take: printed, before anything is submitted."""

from pathlib import Path

import yaml

from job import Job, run_job
from recycling.jobs.progress import progress
from recycling.store.store import Store
from recycling.study.forecast import experiments, page, preparation
from recycling.study.study import make_study


def main(job: Job) -> None:
    study = make_study(job.params["settings"])
    estimates = yaml.safe_load(Path(job.input.estimates).read_text(encoding="utf-8"))
    store = Store(job.machine["store"])
    batches = [progress(study, batch, store) for batch in study.plan.batches.values()]
    print(page([*preparation(study, estimates), *experiments(batches, estimates)]))
    print("* from this study's finished runs. Other hours and sizes are assumed for a base of 8B")
    print(f"on a GPU, see {job.input.estimates}. Results already in the store count as done.")


if __name__ == "__main__":
    run_job(main)
