"""Runs of an adaptive merging method: coefficients tuned on the task, then the merge scored."""

from importlib import import_module
from pathlib import Path
from typing import Any

from job import Job, run
from recycling.jobs.batch import finish
from recycling.jobs.merge_members import members_of_job, opened
from recycling.jobs.recipes import merge_recipe, method_of
from recycling.jobs.task_evaluator import Workbench
from recycling.store.store import Recipe, Store


def main(job: Job) -> None:
    settings = job.params["settings"]
    store = Store(job.machine["store"])
    bench = Workbench(job.input.base, job.input.cards, settings["bench"], job.machine)
    members = members_of_job(job.input, settings, store)
    method = import_module(f"recycling.adapt.{settings['function']}")

    def recipe(run: dict[str, Any]) -> Recipe:
        return merge_recipe("adapt", job.params["code"], settings, run, members.of(run), bench)

    def compute(run: dict[str, Any], folder: Path) -> dict[str, Any]:
        adapters = opened(members.of(run), run, **settings["adapters"])
        train, validation = (
            bench.encoded(run["task"], "train"),
            bench.encoded(run["task"], "validation"),
        )
        tuned = method.tune(
            bench.model,
            adapters,
            train,
            validation,
            settings=method_of(settings, run),
            seed=run["seed"],
            target=0 if run["target"] == "with" else None,
        )
        tuned.save(folder)
        with tuned.applied(bench.model):
            scores = bench.evaluate(run["task"], folder)
        sizes = {"n_train": len(train), "n_validation": len(validation)}
        fit = tuned.fit
        return {**sizes, **scores, "best_step": fit.best_step, "validation_loss": fit.best_loss}

    finish(settings["runs"], recipe, compute, store, job.output.runs, job.deadline)


if __name__ == "__main__":
    run(main)
