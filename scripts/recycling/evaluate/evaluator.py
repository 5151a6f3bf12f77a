"""lm-eval on a prepared task, again and again, for the price of the generation."""

import contextlib
import io
import logging
from pathlib import Path
from typing import Any

from lm_eval.api.task import ConfigurableTask
from lm_eval.evaluator import evaluate
from lm_eval.tasks import TaskManager
from torch import nn

from recycling.errors import UserError
from recycling.evaluate.model import InMemoryLM
from recycling.evaluate.records import Evaluation, Record
from recycling.tasks.examples import load_split

BATCH_TOKENS = 4096  # a CPU's best; a GPU takes ten times as many


class Evaluator:
    """Evaluates models on a split of a task that `recycling.tasks.prepare` wrote.

    `split` may be several, one after another: "train+validation"; `sizes` are their lengths, each
    at most `limit`.

    The task object, its requests and their batches are built once; a call costs generation, lm-eval
    filters and metric. `batch_tokens` bounds a batch: see `recycling.evaluate.batching`.
    """

    def __init__(
        self,
        tokenizer: Any,
        folder: str | Path,
        split: str = "test",
        *,
        limit: int | None = None,
        batch_tokens: int = BATCH_TOKENS,
        share_prefix: bool = True,
    ) -> None:
        parts = {part: load_split(folder, part)[:limit] for part in split.split("+")}
        self._ids = [example.id for examples in parts.values() for example in examples]
        self.sizes = {part: len(examples) for part, examples in parts.items()}
        if 0 in self.sizes.values():
            raise UserError(f"{folder}: split {split} is empty: nothing to evaluate")
        self._lm = InMemoryLM(tokenizer, batch_tokens=batch_tokens, share_prefix=share_prefix)
        self._task = _build(Path(folder), split, limit, self._lm)

    def __call__(self, model: nn.Module) -> Evaluation:
        """Exact match of `model`, as it is now, and a record of every example."""
        self._lm.model = model
        name = self._task.config.task
        found = evaluate(
            self._lm, {"tasks": {name: self._task}}, bootstrap_iters=0, log_samples=True
        )
        samples = sorted(found["samples"][name], key=lambda sample: sample["doc_id"])
        records = [
            Record(key, sample["filtered_resps"][0], sample["target"], bool(sample["exact_match"]))
            for key, sample in zip(self._ids, samples, strict=True)
        ]
        return Evaluation(float(found["results"][name]["exact_match,none"]), records)


def _build(folder: Path, split: str, limit: int | None, lm: InMemoryLM) -> ConfigurableTask:
    """The task of the folder's lm-eval file, with its requests made once and for all."""
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    files = list(folder.glob("*.yaml"))
    if len(files) != 1:
        raise UserError(f"{folder}: expected one lm-eval task file, found {len(files)}")
    name = files[0].stem
    task = TaskManager(include_defaults=False).load(str(files[0]))["tasks"][name]
    task.set_config("test_split", split)
    # plain rows: nothing is decoded again at each call
    parts = [list(task.dataset[part])[:limit] for part in split.split("+")]
    task.dataset[split] = [row for rows in parts for row in rows]
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar
        task.build_all_requests(apply_chat_template=True, chat_template=lm.apply_chat_template)

    def forget(**_: Any) -> None:
        for instance in task.instances:
            instance.resps, instance.filtered_resps = [], {}

    task.build_all_requests = forget
    return task
