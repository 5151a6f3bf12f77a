"""Encodes rows of the small world in the same way as the workflow encodes its examples."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from recycling.adapt.training import Encoded
from recycling.miniature import language
from recycling.miniature.language import Question
from recycling.tasks.encoding import encode
from recycling.tasks.examples import Example


def encoded(tokenizer: Any, question: Question, rows: Sequence[Mapping[str, str]]) -> list[Encoded]:
    """Encode rows {words, answer} in the wording of the task's YAML file; loss on answers only."""
    examples = [
        Example(str(i), question.instruction, f"{language.LABEL} {row['words']}", row["answer"])
        for i, row in enumerate(rows)
    ]
    return cast(list[Encoded], encode(tokenizer, examples, max_length=64))
