"""One labelled example, and the files that store the examples of a split."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from recycling.errors import UserError
from recycling.files import atomic

SPLITS = ("train", "validation", "test", "in_house")


@dataclass(frozen=True)
class Example:
    """One labelled example.

    id: stable across preparations (original split and row). instruction: the system message.
    input: the user's message. target: the assistant's answer.
    """

    id: str
    instruction: str
    input: str
    target: str


def messages(example: Example, with_answer: bool) -> list[dict[str, str]]:
    """The chat of an example: system, user and, if `with_answer`, assistant.

    An empty instruction gives no system message, as in lm-eval.
    """
    chat = [{"role": "system", "content": example.instruction}] if example.instruction else []
    chat.append({"role": "user", "content": example.input})
    if with_answer:
        chat.append({"role": "assistant", "content": example.target})
    return chat


def save_split(folder: str | Path, split: str, examples: Iterable[Example]) -> None:
    """Write `<folder>/<split>.jsonl`, one example per line, atomically."""
    with (
        atomic(Path(folder) / f"{split}.jsonl") as temporary,
        open(temporary, "w", encoding="utf-8") as file,
    ):
        for example in examples:
            file.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")


def load_split(folder: str | Path, split: str) -> list[Example]:
    """Read a split written by `prepare`; it may be empty. Raises UserError if it is missing."""
    path = Path(folder) / f"{split}.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise UserError(f"{path}: no such split; prepare the task first") from None
    try:
        return [Example(**json.loads(line)) for line in lines if line]
    except (TypeError, json.JSONDecodeError) as error:
        raise UserError(
            f"{path}: not a file of examples ({error}); prepare the task again"
        ) from None
