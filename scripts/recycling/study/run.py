"""One point of a study, and when two of them are the same."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from recycling.study.variants import Variant


@dataclass(frozen=True, order=True)
class Run:
    """One point of a study.

    method: a key of `methods`. pool, selection, k, skip, reinit: which adapters are merged and
    what is done to them; empty where nothing is. target: "with" where the target LoRA of the same
    task and seed is adapter 0. variant: settings that differ from the method's, as
    (path, value) in the order of their paths.
    """

    method: str
    task: str
    seed: int
    pool: str = ""
    selection: str = ""
    k: int = 0
    skip: int = 0
    target: str = "without"
    reinit: str = "none"
    variant: Variant = ()

    @property
    def n_pool(self) -> int:
        """How many pool adapters are merged: the target LoRA counts in K."""
        return self.k - (self.target == "with") if self.k else 0


def canonical(run: Run, kinds: Mapping[str, str]) -> Run:
    """The run that computes `run`: fields that make no difference take one value."""
    kind = kinds[run.method]
    if kind == "prompting":
        return Run(run.method, run.task, 0)
    if kind == "lora":
        return Run(run.method, run.task, run.seed, target="with", variant=run.variant)
    if run.n_pool == 0:
        return replace(run, pool="", selection="", skip=0, reinit="none")
    if run.target == "without" and run.reinit == "others":
        return replace(run, reinit="all")
    return run


def by_likeness(selection: str) -> bool:
    """Whether a selection compares adapters with the target LoRA."""
    return selection.partition(":")[0] not in ("", "random", "rank", "evaluation")


def target_of(run: Run, target_method: str) -> Run:
    """The run that trains the target LoRA of a merge."""
    return Run(target_method, run.task, run.seed, target="with")


def run_of_export(export: Mapping[str, Any]) -> Run:
    """The run whose merged model an entry of `export` names."""
    return Run(**{key: value for key, value in export.items() if key != "rank"})


def fields(run: Run) -> dict[str, Any]:
    """A run as JSON values, for a rule's params."""
    return {**asdict(run), "variant": dict(run.variant)}


def run_of(values: Mapping[str, Any]) -> Run:
    """The run that has these `fields`; other keys are left alone."""
    known = {name: values[name] for name in Run.__dataclass_fields__}
    return Run(**{**known, "variant": tuple(values["variant"].items())})
