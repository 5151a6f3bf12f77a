"""A study: its configuration, its plan, and where each of its files lies."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recycling.study.plan import Batch, Plan, make_plan
from recycling.study.run import Run, canonical

# The folder of each pool below the study's results.
POOL_FOLDERS = {"hub": "pool", "in_house": "in_house"}


@dataclass(frozen=True)
class Study:
    """config: a validated configuration. plan: its runs. Paths are relative to the repository."""

    config: Mapping[str, Any]
    plan: Plan

    @property
    def out(self) -> str:
        """The folder of all files of the study."""
        return os.path.join(self.config["results"], self.config["study"])

    @property
    def tasks(self) -> list[str]:
        """The target tasks, in the order of the configuration."""
        return list(self.config["tasks"]["names"])

    def runs_file(self, batch: Batch) -> str:
        """The file of a batch: one JSON line a run."""
        return f"{self.out}/runs/{batch.experiment}/{batch.method}/{batch.part}.jsonl"

    def all_runs_files(self) -> list[str]:
        """The files of all batches, without those that only an export needs."""
        batches = self.plan.batches.values()
        return [self.runs_file(batch) for batch in batches if batch.experiment != "export"]

    def cards(self, tasks: Sequence[str] | None = None) -> list[str]:
        """The cards of these tasks, by default of the target tasks."""
        return [
            f"{self.out}/tasks/{task}/card.json"
            for task in (self.tasks if tasks is None else tasks)
        ]

    def pool_file(self, pool: str) -> str:
        """The file that lists the adapters of a pool, "hub" or "in_house"."""
        return f"{self.out}/{POOL_FOLDERS[pool]}/pool.tsv"

    def scores(self, pool: str) -> list[str]:
        """All parts of a pool's scores; none where no run selects from it by evaluation."""
        if not any(self._evaluated(pool, task) for task in self.tasks):
            return []
        parts = range(self.config["scoring"]["jobs"])
        return [f"{self.out}/scores/{pool}/part-{part}.tsv" for part in parts]

    def selection_file(self, pool: str, task: str) -> str:
        """The file of a task's selections: the pool's adapters in the order of each selection."""
        return f"{self.out}/selections/{pool}/{task}.tsv"

    def evaluated_selections(self) -> list[str]:
        """The selection files of the hub's pool that hold an order by evaluation."""
        return [
            self.selection_file("hub", task) for task in self.tasks if self._evaluated("hub", task)
        ]

    def method_settings(self, name: str) -> Mapping[str, Any]:
        """The settings of a method; none where the study has no such method."""
        settings: Mapping[str, Any] = self.config["methods"].get(name, {}).get("settings", {})
        return settings

    def has_experiment(self, name: str) -> bool:
        """Whether the study has runs for an experiment."""
        return name in self.config["experiments"]

    def coefficients_run(self) -> Run | None:
        """The run whose coefficients are drawn: the largest merge by evaluation with the target
        LoRA; None where the study has none.
        """
        merges = [
            run
            for _, run in self.plan.rows
            if self.config["methods"][run.method].get("function") == "ours"
            and (run.pool, run.selection, run.target, run.reinit)
            == ("hub", "evaluation", "with", "none")
        ]
        if not merges:
            return None
        return canonical(max(merges, key=lambda run: run.k), self.plan.kinds)

    def _evaluated(self, pool: str, task: str) -> bool:
        return any(name == "evaluation" for name, _ in self.plan.selections(pool, task))


def make_study(config: Mapping[str, Any]) -> Study:
    """The study of a validated configuration."""
    return Study(config, make_plan(config))
