"""Zero-shot runs of a task: the base model, prompted with the task's instruction."""

from pathlib import Path
from typing import Any

from job import Job, run
from recycling.jobs.batch import finish
from recycling.jobs.recipes import prompting_recipe
from recycling.jobs.task_evaluator import Workbench
from recycling.store.store import Recipe, Store


def main(job: Job) -> None:
    settings = job.params["settings"]
    bench = Workbench(job.input.base, job.input.cards, settings["bench"], job.machine)

    def recipe(run: dict[str, Any]) -> Recipe:
        return prompting_recipe(job.params["code"], settings, run, bench)

    def compute(run: dict[str, Any], folder: Path) -> dict[str, Any]:
        return {"n_train": 0, "n_validation": 0, **bench.evaluate(run["task"], folder)}

    store = Store(job.machine["store"])
    finish(settings["runs"], recipe, compute, store, job.output.runs, job.deadline)


if __name__ == "__main__":
    run(main)
