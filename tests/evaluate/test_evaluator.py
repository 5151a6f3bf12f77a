"""The evaluator against lm-eval's own model class, and against itself with other batches."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.evaluate.conftest import make_task, tiny_model

from recycling.errors import UserError
from recycling.evaluate.evaluator import Evaluator
from recycling.evaluate.records import Record, read_records, write_records
from recycling.tasks.examples import load_split, save_split
from recycling.tasks.metric import normalised


def test_records_and_accuracy(task: Path, tokenizer: Any, model: Any) -> None:
    evaluation = Evaluator(tokenizer, task)(model)
    records, examples = evaluation.records, load_split(task, "test")
    assert [record.id for record in records] == [example.id for example in examples]
    assert [record.target for record in records] == [example.target for example in examples]
    for record in records:
        assert record.correct == (normalised(record.prediction) == normalised(record.target))
    assert evaluation.accuracy == sum(record.correct for record in records) / len(examples)
    assert 0.3 < evaluation.accuracy < 0.7


def test_lm_evals_own_model_class_gives_the_same(task: Path, tokenizer: Any, model: Any) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    results = simple_evaluate(
        HFLM(pretrained=model, tokenizer=tokenizer, batch_size=4, device="cpu"),
        tasks=["toy"],
        task_manager=TaskManager(include_path=str(task), include_defaults=False),
        apply_chat_template=True,
        bootstrap_iters=0,
    )
    evaluation = Evaluator(tokenizer, task)(model)
    assert evaluation.accuracy == results["results"]["toy"]["exact_match,none"]
    answers = {line["doc"]["id"]: line["filtered_resps"][0] for line in results["samples"]["toy"]}
    assert answers == {record.id: record.prediction for record in evaluation.records}


@pytest.mark.slow
def test_the_lm_eval_command_gives_the_same(
    task: Path, tokenizer: Any, model: Any, tmp_path: Path
) -> None:
    """An identical run by hand: lm_eval's HFLM on the saved model, one example at a time."""
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    command = [sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--device", "cpu"]
    command += ["--model_args", f"pretrained={tmp_path / 'model'},dtype=float32"]
    command += ["--tasks", "toy", "--include_path", str(task), "--apply_chat_template"]
    command += ["--batch_size", "1", "--output_path", str(tmp_path / "out"), "--log_samples"]
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=offline)
    assert done.returncode == 0, done.stderr[-2000:]
    (results,) = (tmp_path / "out").rglob("results_*.json")
    (samples,) = (tmp_path / "out").rglob("samples_toy_*.jsonl")
    evaluation = Evaluator(tokenizer, task)(model)
    by_hand = json.loads(results.read_text())["results"]["toy"]["exact_match,none"]
    assert evaluation.accuracy == pytest.approx(by_hand)
    lines = [json.loads(line) for line in samples.read_text().splitlines()]
    answers = {line["doc"]["id"]: line["filtered_resps"][0] for line in lines}
    assert answers == {record.id: record.prediction for record in evaluation.records}


@pytest.mark.parametrize("share_prefix", [True, False])
@pytest.mark.parametrize("batch_tokens", [1, 100, 100_000])
def test_answers_depend_on_neither_batches_nor_prefix(
    task: Path, tokenizer: Any, model: Any, batch_tokens: int, share_prefix: bool
) -> None:
    alone = Evaluator(tokenizer, task, batch_tokens=1, share_prefix=False)(model)
    assert len({len(record.prediction.split()) for record in alone.records}) > 3
    batched = Evaluator(tokenizer, task, batch_tokens=batch_tokens, share_prefix=share_prefix)
    assert batched(model) == alone


def test_a_prefix_that_is_a_whole_prompt(tokenizer: Any, tmp_path: Path) -> None:
    """Each prompt is a prefix of the next: the shared part is shorter than the first."""
    folder = make_task(tmp_path / "t", tokenizer)
    tokenizer = type(tokenizer)(tokenizer_object=tokenizer.backend_tokenizer, eos_token="<end>")
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
    examples = load_split(folder, "test")[:3]
    texts = ["w5", "w5 w6", "w5 w6 w7 w8"]
    save_split(
        folder,
        "test",
        [
            type(example)(example.id, "w1 w2 w3 w4", text, "w9")
            for example, text in zip(examples, texts, strict=True)
        ],
    )
    model = tiny_model(3)
    shared = Evaluator(tokenizer, folder)(model)
    assert shared == Evaluator(tokenizer, folder, share_prefix=False, batch_tokens=1)(model)


def test_the_result_depends_on_the_model_only(task: Path, tokenizer: Any) -> None:
    evaluator = Evaluator(tokenizer, task)
    model, other = tiny_model(1), tiny_model(2)
    first = evaluator(model)
    assert evaluator(other) != first
    assert evaluator(model) == first


def test_the_model_is_left_as_it_was(task: Path, tokenizer: Any, model: Any) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    Evaluator(tokenizer, task, limit=5)(model)
    assert model.training
    model.eval()
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


def test_splits_one_after_another(task: Path, tokenizer: Any, model: Any) -> None:
    both = Evaluator(tokenizer, task, "train+validation")
    assert both.sizes == {"train": 60, "validation": 20}
    parts = [Evaluator(tokenizer, task, split)(model).records for split in both.sizes]
    assert both(model).records == parts[0] + parts[1]
    assert len(Evaluator(tokenizer, task, "train+validation", limit=3)(model).records) == 6


def test_end_tokens_of_the_model_end_an_answer_too(task: Path, tokenizer: Any) -> None:
    model = tiny_model(1)
    long = Evaluator(tokenizer, task)(model).records
    stop = long[0].prediction.split()[2]
    model.generation_config.eos_token_id = [1, tokenizer.convert_tokens_to_ids(stop)]
    short = Evaluator(tokenizer, task)(model).records
    assert [r.prediction.split() for r in short] == [
        words[: words.index(stop)] if stop in words else words
        for words in (record.prediction.split() for record in long)
    ]


def test_an_empty_split_is_an_error(task: Path, tokenizer: Any, tmp_path: Path) -> None:
    save_split(tmp_path, "test", [])
    with pytest.raises(UserError, match=f"{tmp_path}.* test "):
        Evaluator(tokenizer, tmp_path)
    with pytest.raises(UserError, match=r"train\.jsonl"):
        Evaluator(tokenizer, tmp_path, "train")


def test_records_on_disk(tmp_path: Path) -> None:
    records = [Record("a", "yes\u2028\n", "ja", True), Record("b", "", "nein", False)]
    write_records(tmp_path / "one.jsonl.gz", records)
    write_records(tmp_path / "two.jsonl.gz", iter(records))
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "two.jsonl.gz").read_bytes()
    assert read_records(tmp_path / "one.jsonl.gz") == records
    (tmp_path / "one.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(UserError, match=r"one\.jsonl\.gz"):
        read_records(tmp_path / "one.jsonl.gz")
