"""LoRAs trained on a task (the target LoRA, its variants, in-house LoRAs), and their accuracy."""

import shutil
from pathlib import Path
from typing import Any

from job import Job, run
from recycling.adapt.lora import Lora, train_lora
from recycling.adapt.settings import parse
from recycling.adapt.training import Training
from recycling.jobs.batch import finish
from recycling.jobs.members import ADAPTER
from recycling.jobs.recipes import lora_recipe, method_of
from recycling.jobs.task_evaluator import Workbench
from recycling.lora.adapter import Adapter
from recycling.lora.fold import folded
from recycling.store.store import Recipe, Store


def main(job: Job) -> None:
    settings = job.params["settings"]
    store = Store(job.machine["store"])
    bench = Workbench(job.input.base, job.input.cards, settings["bench"], job.machine)

    def recipe(run: dict[str, Any]) -> Recipe:
        return lora_recipe(job.params["code"], settings, run, bench)

    def compute(run: dict[str, Any], folder: Path) -> dict[str, Any]:
        where = f"methods.{run['method']}.settings"
        method = parse(Lora, method_of(settings, run), where)
        training = parse(Training, method.training, f"{where}.training")
        train, validation = (
            bench.encoded(run["task"], method.split),
            bench.encoded(run["task"], "validation"),
        )
        with store.partial(recipe(run)) as resume:
            fit = train_lora(
                bench.model,
                train,
                validation,
                training=training,
                seed=run["seed"],
                out=folder / ADAPTER,
                base_model=bench.base["repo"],
                rank=method.rank,
                alpha=method.alpha,
                dropout=method.dropout,
                modules=method.modules,
                rslora=method.rslora,
                resume=resume,
            )
        with folded(bench.model, Adapter.open(folder / ADAPTER).items()):
            scores = bench.evaluate(run["task"], folder)
        if run["variant"]:  # nothing merges it, and a sweep's LoRAs would fill a disk
            shutil.rmtree(folder / ADAPTER)
        sizes = {"n_train": len(train), "n_validation": len(validation)}
        return {**sizes, **scores, "best_step": fit.best_step, "validation_loss": fit.best_loss}

    finish(settings["runs"], recipe, compute, store, job.output.runs, job.deadline)


if __name__ == "__main__":
    run(main)
