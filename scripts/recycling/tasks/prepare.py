"""A task's splits, drawn by seed, written as files with a card."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from recycling.errors import UserError
from recycling.files import canonical_json, sha256_file, sha256_text, write_json
from recycling.tasks.encoding import prompt_text, token_ids
from recycling.tasks.examples import SPLITS, Example, save_split
from recycling.tasks.harness import IGNORED, write_harness_task
from recycling.tasks.metric import normalised
from recycling.tasks.prompts import Wording, to_example, wording
from recycling.tasks.sources import Rows, open_split
from recycling.tasks.spec import TaskSpec

HELD_OUT = 0.1  # of train, where no test split is published
HOLD_OUT_SEED = 123  # the test set of a task is the same for every seed of the study


@dataclass
class _Drawing:
    """Turns rows into examples one by one and counts what it leaves out."""

    spec: TaskSpec
    tokenizer: Any
    words: Wording
    max_prompt_tokens: int
    longest: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def examples(self, rows: Rows, positions: Iterable[int]) -> Iterator[Example]:
        for position in positions:
            example = to_example(self.spec, rows, int(position), self.words)
            if example is None:
                self.dropped["unlabelled"] += 1
                continue
            length = len(token_ids(self.tokenizer, prompt_text(self.tokenizer, example)))
            if length >= self.max_prompt_tokens:
                self.dropped["prompt too long"] += 1
                continue
            self.longest = max(self.longest, length)
            yield example

    def new_examples(
        self, rows: Rows, positions: Iterable[int], seen: set[str]
    ) -> Iterator[Example]:
        """Examples whose content is not in `seen`, to which they are added."""
        for example in self.examples(rows, positions):
            key = content(example)
            if key in seen:
                self.dropped["content in another split or repeated"] += 1
                continue
            seen.add(key)
            yield example


def content(example: Example) -> str:
    """What makes two examples the same: the input, white space apart."""
    return " ".join(example.input.split())


def prepare(
    spec: TaskSpec,
    *,
    folder: str | Path,
    tokenizer: Any,
    n_train: int,
    n_validation: int,
    n_in_house: int,
    test_cap: int,
    seed: int,
    max_prompt_tokens: int,
    prompts: str | Path | None = None,
) -> dict[str, Any]:
    """Draw a task's splits and write them to `folder`; return the card.

    Writes {train,validation,test,in_house}.jsonl, `<task>.yaml` with its reader, and card.json
    last. Test: the published split or, where none is, a tenth of train (rounded up, seed 123, the
    permutation of numpy's default generator, as `Dataset.train_test_split` draws it), capped at
    `test_cap` by the same seed. Train, then validation (from its published split where the task
    names one), then the rest of in_house are read from one permutation by `seed`: fewer examples
    are the first of more. No content is in two of train, validation and test; in_house holds train
    and nothing of the others. `prompts`: a file in the released format, whose words are then used
    instead of the task's own. Prompts of `max_prompt_tokens` or more are dropped and counted.
    UserError where a split that is asked for comes out empty or short.
    """
    train = open_split(spec, "train")
    assert train is not None  # load_spec refuses a task without
    drawing = _Drawing(spec, tokenizer, wording(spec, train, prompts), max_prompt_tokens)
    pool, test = _test(spec, drawing, train, test_cap)
    seen = {content(example) for example in test}
    drawn = drawing.new_examples(train, np.random.default_rng(seed).permutation(pool), seen)
    splits = {"test": test, "train": _take(drawn, n_train)}
    published = open_split(spec, "validation")
    if published is None:
        splits["validation"] = _take(drawn, n_validation)
    else:
        order = np.random.default_rng(seed).permutation(len(published))
        splits["validation"] = _take(drawing.new_examples(published, order, seen), n_validation)
    splits["in_house"] = splits["train"] + _take(drawn, n_in_house - n_train)
    for split, wanted in (("train", n_train), ("validation", n_validation)):
        if len(splits[split]) < wanted:
            raise UserError(
                f"{spec.task}: {len(splits[split])} examples for {split}, {wanted} wanted (left"
                f" out: {_told(drawing.dropped)}); ask for fewer or give more data"
            )
    for split in SPLITS:
        save_split(folder, split, splits[split])
    write_harness_task(folder, spec.task, spec.max_new_tokens)
    card = _card(spec, drawing, splits, folder, seed)
    write_json(Path(folder) / "card.json", card)
    return card


def majority(train: Sequence[Example], test: Sequence[Example]) -> float:
    """Accuracy on test of the answer that is most frequent in train (ties: first by name)."""
    counts = Counter(normalised(example.target) for example in train)
    best = min(counts, key=lambda name: (-counts[name], name), default="")
    return sum(normalised(example.target) == best for example in test) / len(test)


def _test(
    spec: TaskSpec, drawing: _Drawing, train: Rows, cap: int
) -> tuple[Sequence[int], list[Example]]:
    """Positions of train that are left for training, and the test examples."""
    published = open_split(spec, "test")
    rows = train if published is None else published
    order = np.random.default_rng(HOLD_OUT_SEED).permutation(len(rows))
    held = math.ceil(HELD_OUT * len(rows)) if published is None else len(rows)
    test = list(drawing.examples(rows, sorted(order[:held][:cap])))
    if not test:
        raise UserError(
            f"{spec.task}: {rows.origin}: no example is left for test (left out:"
            f" {_told(drawing.dropped)})"
        )
    pool = sorted(order[held:]) if published is None else range(len(train))
    return pool, test


def _take(examples: Iterator[Example], count: int) -> list[Example]:
    return list(islice(examples, max(0, count)))


def _told(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items())) or "none"


def _card(
    spec: TaskSpec,
    drawing: _Drawing,
    splits: Mapping[str, Sequence[Example]],
    folder: str | Path,
    seed: int,
) -> dict[str, Any]:
    test, labels = splits["test"], drawing.words.labels
    files = {split: sha256_file(Path(folder) / f"{split}.jsonl") for split in SPLITS}
    return {
        "task": spec.task,
        "content": sha256_text(canonical_json([spec.task, spec.max_new_tokens, IGNORED, files])),
        "seed": seed,
        "sizes": {split: len(splits[split]) for split in SPLITS},
        "labels": None if labels is None else list(dict.fromkeys(labels.values())),
        "majority": majority(splits["train"], test),
        "longest_prompt": drawing.longest,
        "max_new_tokens": spec.max_new_tokens,
        "dropped": dict(sorted(drawing.dropped.items())),
        "repeated_in_test": len(test) - len({content(example) for example in test}),
        "sha256": files,
    }
