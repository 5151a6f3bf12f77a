"""What every run of a task needs, each part made when it is first used."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recycling.base import load_model, load_tokenizer, read_base
from recycling.evaluate.evaluator import Evaluator
from recycling.evaluate.records import write_records
from recycling.files import read_json
from recycling.tasks.encoding import encode
from recycling.tasks.examples import load_split


class Workbench:
    """The base model, its tokenizer and one task's data.

    base_json, card: files made by the rules `base` and `task`; the task's splits lie beside its
    card. settings: {dtype, max_length}. machine: {device, batch_tokens}, which change no result.
    """

    def __init__(
        self,
        base_json: str | Path,
        card: str | Path,
        settings: Mapping[str, Any],
        machine: Mapping[str, Any],
    ):
        self.base = read_base(base_json)
        self.card = read_json(card)
        self.folder = Path(card).parent
        self.settings = settings
        self.machine = machine

    def inputs(self, *splits: str) -> dict[str, Any]:
        """Content ids, for a recipe, of the base and of the splits that a run uses besides test."""
        data = {split: self.card["sha256"][split] for split in ("test", *splits)}
        return {"base": self.base["id"], "task": data, "new_tokens": self.card["max_new_tokens"]}

    @functools.cached_property
    def tokenizer(self) -> Any:
        return load_tokenizer(self.base)

    @functools.cached_property
    def model(self) -> Any:
        return load_model(self.base, self.settings["dtype"], self.machine["device"])

    @functools.cache  # noqa: B019 - a workbench lives as long as its process
    def encoded(self, split: str) -> list[Any]:
        """A split as token ids with labels on the answer alone."""
        examples = load_split(self.folder, split)
        return encode(self.tokenizer, examples, max_length=self.settings["max_length"])

    @functools.cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(
            self.tokenizer, self.folder, "test", batch_tokens=self.machine["batch_tokens"]
        )

    def evaluate(self, folder: Path) -> dict[str, Any]:
        """Score the model as it is now on the test split; keep each answer in `folder`."""
        evaluation = self._evaluator(self.model)
        write_records(folder / "records.jsonl.gz", evaluation.records)
        return {"accuracy": evaluation.accuracy, "n_test": len(evaluation.records)}
