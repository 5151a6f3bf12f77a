"""What every run of a task needs, each part made when it is first used."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recycling.base import load_model, load_tokenizer, read_base
from recycling.evaluate.evaluator import Evaluation, Evaluator, write_records
from recycling.files import read_json
from recycling.tasks.encoding import encode
from recycling.tasks.examples import load_split


class Workbench:
    """The base model, its tokenizer and one task's data.

    base_json, card: files made by the rules `base` and `task`; the task's splits lie beside its
    card. settings: {dtype, device, batch_size, max_length}.
    """

    def __init__(self, base_json: str | Path, card: str | Path, settings: Mapping[str, Any]):
        self.base = read_base(base_json)
        self.card = read_json(card)
        self.folder = Path(card).parent
        self.settings = settings

    @property
    def inputs(self) -> dict[str, str]:
        """Content ids of the base and of the task's data, for a recipe."""
        return {"base": self.base["id"], "task": self.card["content"]}

    @property
    def key_settings(self) -> dict[str, Any]:
        """The settings that can change a result (the device and the batch's size should not)."""
        return {"dtype": self.settings["dtype"], "max_length": self.settings["max_length"]}

    @functools.cached_property
    def tokenizer(self) -> Any:
        return load_tokenizer(self.base)

    @functools.cached_property
    def model(self) -> Any:
        return load_model(self.base, self.settings["dtype"], self.settings["device"])

    @functools.cache  # noqa: B019 - a workbench lives as long as its process
    def encoded(self, split: str) -> list[Any]:
        """A split as token ids with labels on the answer alone."""
        examples = load_split(self.folder, split)
        return encode(self.tokenizer, examples, max_length=self.settings["max_length"])

    @functools.cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(
            self.tokenizer, self.folder, "test", batch_size=self.settings["batch_size"]
        )

    def evaluate(self, folder: Path) -> dict[str, Any]:
        """Score the model as it is now on the test split; keep each answer in `folder`."""
        evaluation: Evaluation = self._evaluator(self.model)
        write_records(folder / "records.jsonl.gz", evaluation.records)
        return {
            "accuracy": evaluation.accuracy,
            "majority": self.card["majority"],
            "n_test": len(evaluation.records),
        }
