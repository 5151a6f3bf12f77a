"""From experiments to runs, and from runs to batches, each of which is one job."""

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recycling.study.run import Run, by_likeness, canonical, run_of_export, target_of
from recycling.study.tasks import all_tasks, in_house_tasks
from recycling.study.variants import variants

TARGETS = "targets"
IN_HOUSE = "in_house"


@dataclass(frozen=True)
class Batch:
    """Runs of one method that an experiment is the first to ask for: one job, one model load.

    part: the task, or part-0, part-1, ... where a job takes several tasks; with .2, .3, ... where
    the runs are more than one job takes.
    """

    experiment: str
    method: str
    part: str
    runs: tuple[Run, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(run.task for run in self.runs))

    @property
    def draws(self) -> tuple[tuple[str, str], ...]:
        """The (pool, task) pairs from which the runs draw adapters."""
        return tuple(dict.fromkeys((run.pool, run.task) for run in self.runs if run.pool))


@dataclass(frozen=True)
class Plan:
    """rows: (experiment, run as asked for). batches: each distinct run in exactly one of them."""

    rows: tuple[tuple[str, Run], ...]
    batches: Mapping[tuple[str, str, str], Batch]
    owner: Mapping[Run, tuple[str, str, str]]
    in_house: tuple[Batch, ...]
    kinds: Mapping[str, str]
    target_method: str

    def of(self, experiment: str) -> list[Batch]:
        """The batches that hold the runs of an experiment, whoever asked for them first."""
        keys = {
            self.owner[canonical(run, self.kinds)]: None
            for name, run in self.rows
            if name == experiment
        }
        return [self.batches[key] for key in keys]

    def targets(self, batch: Batch) -> list[Batch]:
        """The batches that train the target LoRAs which the runs of `batch` merge."""
        keys = {
            self.owner[target_of(run, self.target_method)]: None
            for run in batch.runs
            if self.kinds[run.method] in ("merge", "adapt") and run.target == "with"
        }
        return [self.batches[key] for key in keys]

    def trainer(self, task: str, seed: int) -> Batch:
        """The batch that trains the target LoRA of a task and seed."""
        return self.batches[self.owner[Run(self.target_method, task, seed, target="with")]]

    def selections(self, pool: str, task: str) -> list[tuple[str, int]]:
        """The (selection, seed) pairs that the runs of a task draw from a pool."""
        return sorted(self._selections.get((pool, task), set()))

    def likenesses(self, pool: str) -> list[tuple[str, int, str]]:
        """(task, seed, measure) of every selection from a pool by likeness to a target LoRA."""
        return sorted(
            (task, seed, rule)
            for (drawn, task), pairs in self._selections.items()
            for rule, seed in pairs
            if drawn == pool and by_likeness(rule)
        )

    def batch_of(self, run: Run) -> Batch:
        """The batch that computes a run."""
        return self.batches[self.owner[canonical(run, self.kinds)]]

    @functools.cached_property
    def _selections(self) -> dict[tuple[str, str], set[tuple[str, int]]]:
        found: dict[tuple[str, str], set[tuple[str, int]]] = {}
        for run in self.owner:
            if run.pool:
                found.setdefault((run.pool, run.task), set()).add((run.selection, run.seed))
        return found


def make_plan(config: Mapping[str, Any]) -> Plan:
    """The plan of a validated configuration.

    Target LoRAs that merges need and no experiment asks for are added as experiment `targets`,
    in-house LoRAs that are drawn from as experiment `in_house`; neither has rows of its own.
    """
    kinds = {name: method["kind"] for name, method in config["methods"].items()}
    target_method = config["target_method"]
    rows = rows_of(config)
    exports = [run_of_export(export) for export in config["export"].values()]
    wanted: dict[Run, str] = {}
    for experiment, run in rows:
        wanted.setdefault(canonical(run, kinds), experiment)
    for run in exports:
        wanted.setdefault(canonical(run, kinds), "export")
    drawn = any(run.pool == "in_house" for run in wanted)
    in_house = [
        Run(config["in_house"]["method"], task, config["in_house"]["seed"], target="with")
        for task in in_house_tasks(config)
        if drawn
    ]
    for run in in_house:
        wanted.setdefault(run, IN_HOUSE)
    for run in list(wanted):
        # A selection may measure likeness to the target LoRA even where that is not merged.
        if kinds[run.method] in ("merge", "adapt") and (
            run.target == "with" or by_likeness(run.selection)
        ):
            wanted.setdefault(target_of(run, target_method), TARGETS)
    part = _parts(all_tasks(config), config["tasks"]["per_job"])
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run, experiment in wanted.items():
        groups.setdefault((experiment, run.method, part[run.task]), []).append(run)
    batches = {
        (experiment, method, name): Batch(experiment, method, name, runs)
        for (experiment, method, part), group in groups.items()
        for name, runs in _pieces(part, group, config["tasks"]["runs_per_job"])
    }
    owner = {run: key for key, batch in batches.items() for run in batch.runs}
    sources = tuple(dict.fromkeys(batches[owner[run]] for run in in_house))
    return Plan(tuple(rows), batches, owner, sources, kinds, target_method)


def rows_of(config: Mapping[str, Any]) -> list[tuple[str, Run]]:
    """(experiment, run as asked for) of every experiment, each once."""
    rows = [
        (experiment, run)
        for experiment, grids in config["experiments"].items()
        for grid in grids
        for run in _expand(grid, config["methods"], config["tasks"]["names"])
    ]
    return list(dict.fromkeys(rows))


def used_methods(config: Mapping[str, Any]) -> dict[str, Any]:
    """The methods that an experiment runs."""
    grids = [grid for grids in config["experiments"].values() for grid in grids]
    used = {name for grid in grids for name in grid["methods"]}
    return {name: method for name, method in config["methods"].items() if name in used}


def essence(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a configuration that its rows depend on: `rows_of` it are the same rows."""
    grids = [grid for grids in config["experiments"].values() for grid in grids]
    varied = {name for grid in grids if grid["vary"] for name in grid["methods"]}
    methods = {
        name: {"kind": method["kind"], "settings": method["settings"] if name in varied else {}}
        for name, method in used_methods(config).items()
    }
    return {
        "experiments": config["experiments"],
        "methods": methods,
        "tasks": {"names": config["tasks"]["names"]},
    }


def _parts(tasks: list[str], per_job: int) -> dict[str, str]:
    """task -> the part of the tasks that shares its jobs."""
    if per_job == 1:
        return {task: task for task in tasks}
    return {task: f"part-{number // per_job}" for number, task in enumerate(tasks)}


def _pieces(part: str, runs: list[Run], most: int | None) -> Iterator[tuple[str, tuple[Run, ...]]]:
    """(name, runs) of the jobs that share the runs of a group, at most `most` each."""
    size = most or len(runs)
    for number, start in enumerate(range(0, len(runs), size), 1):
        yield part if number == 1 else f"{part}.{number}", tuple(runs[start : start + size])


def _expand(
    grid: Mapping[str, Any], methods: Mapping[str, Mapping[str, Any]], tasks: list[str]
) -> Iterator[Run]:
    for name in grid["methods"]:
        method = methods[name]
        points = itertools.product(
            grid["tasks"] or tasks, grid["seeds"], variants(grid["vary"], method["settings"])
        )
        if method["kind"] in ("prompting", "lora"):
            target = "with" if method["kind"] == "lora" else "without"
            for task, seed, variant in points:
                yield Run(name, task, seed, target=target, variant=variant)
            continue
        for task, seed, variant in points:
            for selection, k, skip, target, reinit in itertools.product(
                grid["selections"], grid["k"], grid["skip"], grid["target"], grid["reinit"]
            ):
                point = (grid["pool"], selection, k, skip, target, reinit, variant)
                yield Run(name, task, seed, *point)
