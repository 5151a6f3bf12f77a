"""Rows of the small world as the workflow encodes its examples."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from recycling.adapt.training import Encoded
from recycling.miniature import language
from recycling.miniature.language import Question
from recycling.tasks.encoding import encode
from recycling.tasks.examples import Example


def encoded(tokenizer: Any, question: Question, rows: Sequence[Mapping[str, str]]) -> list[Encoded]:
    """Rows {words, answer} of a question, worded as the task's YAML words them, loss on answers."""
    examples = [
        Example(str(i), question.instruction, f"{language.LABEL} {row['words']}", row["answer"])
        for i, row in enumerate(rows)
    ]
    return cast(list[Encoded], encode(tokenizer, examples, max_length=64))
