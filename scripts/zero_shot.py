"""Zero-shot runs: the base model, prompted with the task's instruction."""

from pathlib import Path
from typing import Any

from job import Job, run_job
from recycling.jobs.batch import compute_runs
from recycling.jobs.recipes import Inputs, zero_shot_recipe
from recycling.jobs.task_evaluator import TaskEvaluator
from recycling.store.store import Recipe, Store
from recycling.study.orders import Orders
from recycling.study.run import Run


def main(job: Job) -> None:
    orders = Orders.from_json(job.params["settings"])
    inputs = Inputs(job.input.base, job.input.cards)
    evaluator = TaskEvaluator(job.input.base, job.input.cards, orders.model, job.machine)

    def recipe(run: Run) -> Recipe:
        return zero_shot_recipe(job.params["code"], orders, run, inputs)

    def compute(run: Run, folder: Path) -> dict[str, Any]:
        return {"n_train": 0, "n_validation": 0, **evaluator.evaluate(run.task, folder)}

    store = Store(job.machine["store"])
    compute_runs(orders.runs, recipe, compute, store, job.output.runs, job.deadline)


if __name__ == "__main__":
    run_job(main)
