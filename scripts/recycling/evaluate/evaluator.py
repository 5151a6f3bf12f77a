"""lm-eval on a prepared task, with all preparation done once for many evaluations."""

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
from recycling.evaluate.lm_eval_model import InMemoryLM
from recycling.evaluate.records import Evaluation, Record
from recycling.tasks.examples import load_split

BATCH_TOKENS = 4096  # best on a CPU; use about ten times as many on a GPU


class Evaluator:
    """Evaluates models on a split of a task written by `recycling.tasks.prepare`.

    split: one split, or several joined by "+": "train+validation". limit: maximum number of
    examples of each; attribute `sizes` has the actual numbers. batch_tokens, share_prefix: see
    `recycling.evaluate.batching`.

    The task object, its requests and their batches are built once. A call costs generation,
    lm-eval's filters and the metric. Raises UserError for a missing or empty split.
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
            raise UserError(
                f"{folder}: split {split} is empty; prepare the task with more examples"
            )
        self._lm = InMemoryLM(tokenizer, batch_tokens=batch_tokens, share_prefix=share_prefix)
        self._task = _build_task(Path(folder), split, limit, self._lm)

    def __call__(self, model: nn.Module) -> Evaluation:
        """Exact match of `model` with its current weights, and a record of every example."""
        self._lm.model = model
        name = self._task.config.task
        results = evaluate(
            self._lm, {"tasks": {name: self._task}}, bootstrap_iters=0, log_samples=True
        )
        samples = sorted(results["samples"][name], key=lambda sample: sample["doc_id"])
        records = [
            Record(key, sample["filtered_resps"][0], sample["target"], bool(sample["exact_match"]))
            for key, sample in zip(self._ids, samples, strict=True)
        ]
        return Evaluation(float(results["results"][name]["exact_match,none"]), records)


def _build_task(folder: Path, split: str, limit: int | None, lm: InMemoryLM) -> ConfigurableTask:
    """The task of the folder's lm-eval file, with its requests already built."""
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    files = list(folder.glob("*.yaml"))
    if len(files) != 1:
        raise UserError(
            f"{folder}: expected one lm-eval task file, got {len(files)}; prepare the task again"
        )
    name = files[0].stem
    task = TaskManager(include_defaults=False).load(str(files[0]))["tasks"][name]
    task.set_config("test_split", split)
    # Plain rows: nothing is decoded again on each call.
    parts = [list(task.dataset[part])[:limit] for part in split.split("+")]
    task.dataset[split] = [row for rows in parts for row in rows]
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar
        task.build_all_requests(apply_chat_template=True, chat_template=lm.apply_chat_template)

    def clear_responses(**_: Any) -> None:
        for instance in task.instances:
            instance.resps, instance.filtered_resps = [], {}

    task.build_all_requests = clear_responses
    return task
