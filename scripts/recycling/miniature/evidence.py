"""The page that shows how the target tasks were chosen."""

from collections.abc import Mapping, Sequence

from recycling.miniature import targets
from recycling.miniature.family import task_name
from recycling.miniature.language import Question

CONSTANTS = ("ABOVE_MAJORITY", "GAIN", "CEILING", "VAGUE", "SAME_SLOT", "SWAPPED")


def page(
    search: Mapping[str, Mapping[str, float]],
    best: str,
    table: Mapping[str, Mapping[str, float]],
    told: Mapping[str, str],
    others: Sequence[Question],
) -> str:
    """The evidence as Markdown: the search, every candidate, the choice."""
    lines = [
        "# How the small world's target tasks were chosen",
        "",
        "Written by `scripts/miniature_targets.py`; do not edit. No merge was looked at.",
        "",
        "## Settings of the target LoRA",
        "",
        "Mean over the four development tasks, none of which is a candidate; least validation loss",
        "(20 examples, best of every 10 steps) wins.",
        "",
        "| settings | validation loss | best step | |",
        "|---|---|---|---|",
    ]
    for name, row in search.items():
        mark = "chosen" if name == best else ""
        lines.append(f"| {name} | {row['validation_loss']:.4f} | {row['best_step']:.0f} | {mark} |")
    lines += ["", "## Candidates", "", " ".join((targets.__doc__ or "").split()), ""]
    lines += [
        ", ".join(f"`{name}` {getattr(targets, name)}" for name in CONSTANTS) + ". Accuracies are "
        f"means over two draws of 100 examples, each on {targets.N_TEST} others.",
        "",
        "| candidate | majority | base | LoRA on 100 | verdict |",
        "|---|---|---|---|---|",
    ]
    for name, row in table.items():
        numbers = " | ".join(f"{row[key]:.3f}" for key in ("majority", "base", "lora"))
        lines.append(f"| {name} | {numbers} | {told[name]} |")
    lines += [
        "",
        "## Siblings",
        "",
        "Source tasks of further in-house LoRAs. The open slot of each means what it means in one",
        "of the chosen tasks; everything else differs.",
        "",
        *(f"- {task_name(question)}" for question in others),
    ]
    return "\n".join(lines) + "\n"
