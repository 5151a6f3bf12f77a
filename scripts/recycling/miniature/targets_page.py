"""The page docs/miniature_targets.md, which shows how the target tasks were chosen."""

from collections.abc import Mapping, Sequence

from recycling.miniature import targets
from recycling.miniature.language import Question
from recycling.miniature.task_family import task_name

RULE = f"""The target tasks were chosen by three accuracies only: of the majority class, of the base
model and of a LoRA trained on 100 examples. No merge was computed before the choice.
[miniature.md](miniature.md) describes an earlier round with other candidates.

1. Vague tasks: the base model is at least {targets.ABOVE_MAJORITY} above the majority class; the
   LoRA is at least {targets.GAIN} above the base model and at most {targets.CEILING}.
2. Swapped tasks: the base model is below the majority class; the LoRA is at least {targets.GAIN}
   above the majority class and at most {targets.CEILING}.
3. The first candidates that meet the rule are chosen, in the order of `task_family.candidates`: at
   most {targets.VAGUE} vague ones, at most {targets.SAME_SLOT} of these with the same open slot,
   and at most {targets.SWAPPED} swapped ones.

Accuracies are means over two draws of 100 examples, each tested on {targets.N_TEST} others."""


def page(
    search: Mapping[str, Mapping[str, float]],
    best: str,
    table: Mapping[str, Mapping[str, float]],
    verdicts: Mapping[str, str],
    siblings: Sequence[Question],
) -> str:
    """Markdown with the search over settings, all candidates with their verdicts, and the choice.

    search: settings -> mean numbers over the development tasks; best: the chosen settings. table:
    candidate -> mean numbers. verdicts: candidate -> "chosen" or the reason why not.
    """
    lines = [
        "# Choice of the small study's target tasks",
        "",
        "`scripts/miniature_targets.py` writes this page; do not edit it.",
        "",
        "## Settings of the target LoRA",
        "",
        "Means over four development tasks, none of which is a candidate. The settings with the",
        "lowest validation loss (20 examples, best of every 10 steps) are used.",
        "",
        "| settings | validation loss | best step | |",
        "|---|---|---|---|",
    ]
    for name, row in search.items():
        mark = "chosen" if name == best else ""
        lines.append(f"| {name} | {row['validation_loss']:.4f} | {row['best_step']:.0f} | {mark} |")
    lines += ["", "## Candidates", "", *RULE.splitlines(), ""]
    lines += [
        "| candidate | majority | base | LoRA on 100 | verdict |",
        "|---|---|---|---|---|",
    ]
    for name, row in table.items():
        numbers = " | ".join(f"{row[key]:.3f}" for key in ("majority", "base", "lora"))
        lines.append(f"| {name} | {numbers} | {verdicts[name]} |")
    lines += [
        "",
        "## Siblings",
        "",
        "Tasks of further in-house LoRAs. The open slot of each means the same as in one of the",
        "chosen tasks; everything else differs.",
        "",
        *(f"- {task_name(question)}" for question in siblings),
    ]
    return "\n".join(lines) + "\n"
