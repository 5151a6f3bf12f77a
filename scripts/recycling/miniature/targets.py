"""The choice of target tasks, by a fixed rule on the accuracies of base, majority class and LoRA.

A vague target: the base is at least `ABOVE_MAJORITY` above the majority class, and a LoRA on 100
examples at least `GAIN` above the base but not above `CEILING`. A swapped target: the base is below
the majority class, and a LoRA at least `GAIN` above it but not above `CEILING`. The first that fit,
in the order of `task_family.candidates`, are chosen: at most `VAGUE` vague ones, of which at most
`SAME_SLOT` with the same open slot, and at most `SWAPPED` swapped ones. No merge is evaluated.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

from recycling.adapt.lora import train_lora
from recycling.adapt.training import Encoded, Training, collate
from recycling.lora.adapter import Adapter
from recycling.lora.fold import folded
from recycling.miniature import language
from recycling.miniature.encoding import encoded
from recycling.miniature.language import Question
from recycling.miniature.task_family import task_name

ABOVE_MAJORITY, GAIN, CEILING = 0.05, 0.10, 0.90
VAGUE, SAME_SLOT, SWAPPED = 6, 3, 2
SIBLINGS = 4
N_TRAIN, N_VALIDATION, N_TEST = 80, 20, 400


@dataclass(frozen=True)
class Lora:
    """Settings of a target LoRA; the search varies lr, rank and steps."""

    lr: float = 3e-3
    rank: int = 16
    alpha: int = 16
    dropout: float = 0.1
    steps: int = 200


@torch.no_grad()
def accuracy(model: nn.Module, test: Sequence[Encoded]) -> float:
    """Share of examples whose complete answer is the model's greedy continuation."""
    batch = collate(test)
    predicted = model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
    ).logits.argmax(-1)
    labels = batch["labels"][:, 1:]
    correct = (predicted[:, :-1] == labels) | (labels == -100)
    return float(correct.all(-1).float().mean())


def majority(train: Sequence[Mapping[str, str]], test: Sequence[Mapping[str, str]]) -> float:
    """Accuracy on test of the most frequent answer in train (ties: first by name)."""
    counts = Counter(row["answer"] for row in train)
    best = min(counts, key=lambda answer: (-counts[answer], answer))
    return sum(row["answer"] == best for row in test) / len(test)


def measure(
    model: nn.Module, tokenizer: Any, question: Question, settings: Lora, seed: int
) -> dict[str, Any]:
    """Accuracies of majority class, base and a LoRA on 100 examples, and its validation loss."""
    rows = language.examples(question, N_TRAIN + N_VALIDATION + N_TEST, f"choice {seed}")
    validation_end = N_TRAIN + N_VALIDATION
    examples = encoded(tokenizer, question, rows)
    test = examples[validation_end:]
    with TemporaryDirectory() as folder:
        fit = train_lora(
            model,
            examples[:N_TRAIN],
            examples[N_TRAIN:validation_end],
            rank=settings.rank,
            alpha=settings.alpha,
            dropout=settings.dropout,
            training=Training(lr=settings.lr, steps=settings.steps),
            seed=seed,
            out=Path(folder) / "lora",
            base_model="base",
        )
        with folded(model, Adapter.open(Path(folder) / "lora").items()):
            lora_accuracy = accuracy(model, test)
    return {
        "task": task_name(question),
        "seed": seed,
        **{key: str(getattr(settings, key)) for key in ("lr", "rank", "steps")},
        "majority": majority(rows[:N_TRAIN], rows[validation_end:]),
        "base": accuracy(model, test),
        "lora": lora_accuracy,
        "validation_loss": fit.best_loss,
        "best_step": fit.best_step,
    }


def grid() -> list[Lora]:
    """The hyper-parameters to compare."""
    return [
        replace(Lora(), lr=lr, rank=rank, steps=steps)
        for lr in (1e-3, 3e-3, 1e-2)
        for rank in (8, 16)
        for steps in (100, 200)
    ]


def verdict(question: Question, row: Mapping[str, float]) -> str:
    """Why a candidate does not fit, from its mean accuracies; empty if it fits."""
    base, majority, lora = row["base"], row["majority"], row["lora"]
    if question.vague and base < majority + ABOVE_MAJORITY:
        return "base not above majority"
    if question.relabel and base >= majority:
        return "base not below majority"
    if lora < max(base, majority) + GAIN:
        return "LoRA gains too little"
    return "LoRA above the ceiling" if lora > CEILING else ""


def choose(
    questions: Sequence[Question], means: Mapping[str, Mapping[str, float]]
) -> dict[str, str]:
    """Task name -> "chosen" or why not, by the rule at the top of this file.

    means: task name -> mean accuracies `majority`, `base` and `lora`.
    """
    verdicts: dict[str, str] = {}
    slots: Counter[str] = Counter()
    for question in questions:
        slot = next(iter(question.vague), "swapped")
        enough = slots["swapped"] >= SWAPPED if question.relabel else slots["vague"] >= VAGUE
        reason = verdict(question, means[task_name(question)])
        if not reason and enough:
            reason = "fits, but enough are chosen"
        elif not reason and not question.relabel and slots[slot] >= SAME_SLOT:
            reason = "fits, but enough have this open slot"
        if not reason:
            slots[slot] += 1
            slots["vague"] += bool(question.vague)
        verdicts[task_name(question)] = reason or "chosen"
    return verdicts
