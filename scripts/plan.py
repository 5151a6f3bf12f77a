"""What the study still has to do, and what it will take: printed, before anything is submitted."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from job import Job, listed, run
from recycling.files import read_tsv
from recycling.jobs.batch import read_runs
from recycling.jobs.merge_members import members_of_job
from recycling.jobs.recipes import lora_recipe, merge_recipe, prompting_recipe
from recycling.jobs.task_evaluator import Workbench
from recycling.store.store import Recipe, Store
from recycling.study.forecast import Part, Progress, experiments, page, scores


def main(job: Job) -> None:
    settings = job.params["settings"]
    estimates = yaml.safe_load(Path(settings["estimates"]).read_text(encoding="utf-8"))
    store = Store(job.machine["store"])
    batches = [progress(batch, store) for batch in settings["batches"]]
    parts = [*beginnings(settings, estimates), *experiments(batches, estimates)]
    print(page(parts))
    print("* from this study's finished runs. Other hours and sizes are assumed for a base of 8B")
    print(f"on a GPU, see {settings['estimates']}. What is in the store is done, whoever did it.")


def progress(batch: Mapping[str, Any], store: Store) -> Progress:
    """How far a batch is: by its file, else by what the store has of its runs."""
    runs = batch["settings"]["runs"]
    what = (batch["experiment"], runs[0]["method"], batch["kind"], len(runs))
    if Path(batch["output"]).is_file():
        lines = read_runs(batch["output"])
        return Progress(*what, 0, True, tuple(line["seconds"] for line in lines))
    left = [one for one in runs if not stored(one, batch, store)]
    kept = sum(batch["kind"] == "lora" and not one["variant"] for one in left)
    return Progress(*what, len(left), False, (), kept)


def stored(one: Mapping[str, Any], batch: Mapping[str, Any], store: Store) -> bool:
    """Whether the store has a run of a batch; it has none whose inputs are not there yet."""
    paths = [path for value in batch["input"].values() for path in listed(value)]
    return all(Path(path).is_file() for path in paths) and (
        store.folder(recipe(one, batch, store).key).is_dir()
    )


def recipe(one: Mapping[str, Any], batch: Mapping[str, Any], store: Store) -> Recipe:
    """What a run of a batch is computed from, as its own script will say."""
    files, settings, code = batch["input"], batch["settings"], batch["code"]
    bench = Workbench(files["base"], files["cards"], settings["bench"], {})
    if batch["kind"] == "prompting":
        return prompting_recipe(code, settings, one, bench)
    if batch["kind"] == "lora":
        return lora_recipe(code, settings, one, bench)
    members = members_of_job(SimpleNamespace(**files), settings, store, verified=False).of(one)
    return merge_recipe(batch["kind"], code, settings, one, members, bench)


def beginnings(settings: Mapping[str, Any], estimates: Mapping[str, Any]) -> list[Part]:
    """Everything before the runs: the pool, the tasks, the scores."""
    sizes = estimates["gigabytes"]
    pool = Path(settings["pool"])
    fetched = settings["fetched"]
    expected = fetched["adapters"] or estimates["adapters"]
    adapters = len(read_tsv(pool)) if pool.is_file() else expected
    to_fetch = 0.0 if pool.is_file() or not fetched["pool"] else adapters * sizes["adapter"]
    waiting = [path for path in (settings["candidates"], settings["pool"]) if missing(path)]
    cards = [path for path in settings["cards"] if missing(path)]
    begun = len(cards) < len(settings["cards"]) or not fetched["base"]
    base = 0.0 if begun else sizes["base"]
    return [
        Part("pool", 2, len(waiting), gigabytes=to_fetch, download=to_fetch),
        Part("base and tasks", len(settings["cards"]), len(cards), gigabytes=base, download=base),
        *(
            scores(
                name,
                len(paths),
                sum(missing(path) for path in paths),
                {"hub": adapters, "in_house": settings["in_house"]}[name],
                settings["tasks"],
                estimates,
            )
            for name, paths in settings["scores"].items()
        ),
    ]


def missing(path: str) -> bool:
    return not Path(path).is_file()


if __name__ == "__main__":
    run(main)
