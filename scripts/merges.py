"""Runs of a merging method that needs no data: adapters merged, folded into the base, scored."""

from pathlib import Path
from typing import Any

from job import Job, run
from recycling.jobs.batch import finish
from recycling.jobs.merge_members import members_of_job, opened
from recycling.jobs.recipes import merge_recipe, method_of
from recycling.jobs.task_evaluator import Workbench
from recycling.lora.fold import folded
from recycling.merge import merge_adapters
from recycling.store.store import Recipe, Store


def main(job: Job) -> None:
    settings = job.params["settings"]
    store = Store(job.machine["store"])
    bench = Workbench(job.input.base, job.input.cards, settings["bench"], job.machine)
    members = members_of_job(job.input, settings, store)

    def recipe(run: dict[str, Any]) -> Recipe:
        return merge_recipe("merge", job.params["code"], settings, run, members.of(run), bench)

    def compute(run: dict[str, Any], folder: Path) -> dict[str, Any]:
        adapters = opened(members.of(run), run, **settings["adapters"])
        method = method_of(settings, run)
        deltas = merge_adapters(settings["function"], adapters, method, run["seed"])
        with folded(bench.model, deltas):
            return {"n_train": 0, "n_validation": 0, **bench.evaluate(run["task"], folder)}

    finish(settings["runs"], recipe, compute, store, job.output.runs, job.deadline)


if __name__ == "__main__":
    run(main)
