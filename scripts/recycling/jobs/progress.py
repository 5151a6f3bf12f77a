"""How far each batch of a study is."""

from pathlib import Path

from recycling.jobs.batch import read_runs
from recycling.jobs.merge_members import MergeMembers
from recycling.jobs.recipes import Inputs, lora_recipe, merge_recipe, zero_shot_recipe
from recycling.store.store import Recipe, Store
from recycling.study.forecast import Progress
from recycling.study.plan import Batch
from recycling.study.run import Run
from recycling.study.study import Study


def progress(study: Study, batch: Batch, store: Store) -> Progress:
    """How far a batch is: by its file, else by what the store has of its runs."""
    kind, total = study.kind(batch.method), len(batch.runs)
    path = study.runs_file(batch)
    if Path(path).is_file():
        seconds = tuple(line["seconds"] for line in read_runs(path))
        return Progress(batch.experiment, batch.method, kind, total, 0, True, seconds)
    left = _not_stored(study, batch, store)
    loras = sum(kind == "lora" and not run.variant for run in left)
    return Progress(batch.experiment, batch.method, kind, total, len(left), False, kept=loras)


def _not_stored(study: Study, batch: Batch, store: Store) -> list[Run]:
    """The runs of a batch that the store does not have: all while an input is missing."""
    files = study.batch_inputs(batch)
    paths = [files["base"], *(path for name in files if name != "base" for path in files[name])]
    if not all(Path(path).is_file() for path in paths):
        return list(batch.runs)
    orders, code = study.orders(batch), study.code(batch.method)
    inputs = Inputs(files["base"], files["cards"])
    members = MergeMembers(orders.draws, files.get("targets", ()), store, verified=False)

    def recipe(run: Run) -> Recipe:
        if orders.kind == "prompting":
            return zero_shot_recipe(code, orders, run, inputs)
        if orders.kind == "lora":
            return lora_recipe(code, orders, run, inputs)
        return merge_recipe(code, orders, run, inputs, members.of(run))

    return [run for run in batch.runs if not store.folder(recipe(run).key).is_dir()]
