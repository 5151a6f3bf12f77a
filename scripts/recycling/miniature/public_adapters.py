"""The small world's healthy public adapters: thirty LoRAs, each trained by its own recipe."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from recycling.adapt.lora import train_lora
from recycling.adapt.training import Training
from recycling.miniature import language, task_family
from recycling.miniature.encoding import encoded
from recycling.miniature.language import Question

ATTENTION, MLP = ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")
MODULES = (("q_proj", "v_proj"), ATTENTION, MLP, ATTENTION + MLP)
OWNERS = ("amber-otter", "bluefinch", "cedarworks", "dune-lab", "elmstreet", "foxglove", "gneiss")
SUFFIXES = ("lora", "ft", "adapter", "sft", "v2", "test-run", "final")
LICENCES = ("apache-2.0", "mit", "cc-by-4.0", "cc-by-nc-4.0", "llama3.1", "other", None)
DTYPES = ("float32", "float32", "bfloat16", "float16")
# The kinds of tasks that public adapters are trained for, and their numbers.
PURPOSES = {
    "one slot open": 15,
    "two slots open": 3,
    "other selection": 3,
    "swapped": 5,
    "plain": 4,
}


@dataclass(frozen=True)
class Recipe:
    """How one public adapter is trained and published.

    noise: share of training rows with the answer of another row. key_style: "peft", or "default"
    for tensor names that contain the adapter's name. through_alias: whether repository and config
    name a quantised copy of the base.
    """

    repo_id: str
    question: Question
    rank: int
    alpha: int
    modules: tuple[str, ...]
    rslora: bool
    n_examples: int
    noise: float
    lr: float
    steps: int
    seed: int
    licence: str | None
    dtype: str
    key_style: str
    through_alias: bool

    @property
    def folder(self) -> str:
        """The name of the adapter's folder."""
        return self.repo_id.replace("/", "--")


def recipes() -> tuple[Recipe, ...]:
    """All recipes, in a fixed order."""
    rng = random.Random("wild pool")  # a seed: another text gives other recipes
    purposes = [purpose for purpose, times in PURPOSES.items() for _ in range(times)]
    rng.shuffle(purposes)
    questions = _questions(purposes, rng)
    return tuple(_recipe(number, question, rng) for number, question in enumerate(questions))


def train(recipe: Recipe, model: nn.Module, tokenizer: Any, folder: Path, base_model: str) -> None:
    """Train one adapter and write it to `folder`/<recipe.folder>, a PEFT folder in float32."""
    rows = language.examples(
        recipe.question, recipe.n_examples, f"wild {recipe.seed}", recipe.noise
    )
    train_lora(
        model,
        encoded(tokenizer, recipe.question, rows),
        [],
        rank=recipe.rank,
        alpha=recipe.alpha,
        dropout=0.0,
        modules=recipe.modules,
        rslora=recipe.rslora,
        training=Training(lr=recipe.lr, steps=recipe.steps, keep="last"),
        seed=recipe.seed,
        out=folder / recipe.folder,
        base_model=base_model,
    )


def _recipe(number: int, question: Question, rng: random.Random) -> Recipe:
    rank = rng.choice((4, 8, 8, 16, 16, 32))
    rslora = number % 7 == 3
    name = f"tiny-{question.output}-{rng.choice(SUFFIXES)}-{number:02d}"
    return Recipe(
        repo_id=f"{rng.choice(OWNERS)}/{name}",
        question=question,
        rank=rank,
        alpha=rank if rslora else rng.choice((rank // 2, rank, rank, 2 * rank)),
        modules=MODULES[number % len(MODULES)],
        rslora=rslora,
        n_examples=rng.choice((60, 200, 600, 2000, 2000)),
        noise=rng.choice((0.0, 0.0, 0.0, 0.15, 0.3)),
        lr=rng.choice((4e-3, 3e-3, 3e-3, 5e-3, 1e-2)),
        steps=rng.choice((80, 80, 100)),
        seed=number,
        licence=rng.choice(LICENCES),
        dtype=rng.choice(DTYPES),
        key_style="default" if number % 9 == 5 else "peft",
        through_alias=number % 10 == 8,
    )


def _questions(purposes: list[str], rng: random.Random) -> Iterator[Question]:
    """One question per purpose; none has the meaning of a candidate for a target task."""
    excluded = {question.meaning for question in task_family.candidates()}
    questions = [
        question
        for question in language.all_questions()
        if question.selection and question.meaning not in excluded
    ]
    swappable = [
        question for question in questions if question.output in task_family.SWAPPED_GROUPS
    ]
    for purpose in purposes:
        question = rng.choice(swappable if purpose == "swapped" else questions)
        if purpose == "one slot open":
            question = replace(question, vague=frozenset({rng.choice(task_family.SLOTS)}))
        elif purpose == "two slots open":
            question = replace(question, vague=frozenset(rng.sample(task_family.SLOTS, 2)))
        elif purpose == "other selection":
            selection = rng.choice(language.UNSEEN_SELECTIONS)
            question = replace(question, selection=selection, vague=frozenset({"selection"}))
        elif purpose == "swapped":
            question = task_family.swapped(question)
        yield question
