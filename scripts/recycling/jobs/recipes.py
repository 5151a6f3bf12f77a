"""What each kind of run is computed from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recycling.store.store import Recipe
from recycling.study.variants import varied

if TYPE_CHECKING:
    from recycling.jobs.members import Member
    from recycling.jobs.task_evaluator import Workbench

Settings = Mapping[str, Any]
Run = Mapping[str, Any]


def method_of(settings: Settings, run: Run) -> dict[str, Any]:
    """The settings of a run's method: those of its batch, with the run's variant in place."""
    return varied(settings["method"], run["variant"])


def prompting_recipe(code: str, settings: Settings, run: Run, bench: "Workbench") -> Recipe:
    """The recipe of a zero-shot run."""
    return Recipe("zero_shot", code, settings["bench"], bench.inputs(run["task"]))


def lora_recipe(code: str, settings: Settings, run: Run, bench: "Workbench") -> Recipe:
    """The recipe of a LoRA that is trained on the split that its method names.

    kept: whether the result holds the LoRA itself; of a variant only the scores are wanted.
    """
    method = method_of(settings, run)
    kept = not run["variant"]
    wanted = {"method": method, "seed": run["seed"], "kept": kept, **settings["bench"]}
    split = method.get("split", "train")
    return Recipe("lora", code, wanted, bench.inputs(run["task"], split, "validation"))


def merge_recipe(
    kind: str,
    code: str,
    settings: Settings,
    run: Run,
    members: Sequence["Member"],
    bench: "Workbench",
) -> Recipe:
    """The recipe of a run that merges `members`; kind "adapt" also uses the task's examples.

    The seed is part of it even where it acts through the members alone: a method that draws must
    not share a result between seeds.
    """
    wanted = {
        **{key: settings[key] for key in ("function", "adapters")},
        "method": method_of(settings, run),
        **{key: run[key] for key in ("seed", "reinit", "target")},
        **settings["bench"],
    }
    splits = ("train", "validation") if kind == "adapt" else ()
    contents = [member.content for member in members]
    return Recipe(kind, code, wanted, {**bench.inputs(run["task"], *splits), "adapters": contents})
