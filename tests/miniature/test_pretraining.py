"""Tokenizer and pre-training: the base is trained on the same prompts as the workflow's."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from recycling.miniature import language, pretraining, tokenizer
from recycling.miniature.encoding import encoded
from recycling.miniature.language import Question

SHORT = pretraining.Pretraining(steps=4, batch_size=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    pretraining.save(pretraining.pretrain(0, SHORT), folder)
    return folder


def test_each_word_is_one_token_with_its_own_id(folder: Path) -> None:
    loaded = AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer.vocabulary()
    assert len(set(tokens)) == len(tokens) == len(loaded) == pretraining.config().vocab_size
    for i, token in enumerate(tokens):
        assert loaded(token, add_special_tokens=False)["input_ids"] == [i]
    assert loaded.eos_token_id == pretraining.config().eos_token_id
    assert loaded.pad_token_id == pretraining.config().pad_token_id


def test_every_question_and_answer_is_in_the_vocabulary() -> None:
    tokens = set(tokenizer.vocabulary())
    for question in language.all_questions():
        assert tokens.issuperset(question.instruction.split())
        assert {row["answer"] for row in language.examples(question, 30, 0)} <= tokens


def test_template_marks_the_assistants_tokens(folder: Path) -> None:
    loaded = AutoTokenizer.from_pretrained(folder)
    messages = [
        {"role": "system", "content": "kind first big"},
        {"role": "user", "content": "words: oak hat"},
        {"role": "assistant", "content": "plant"},
    ]
    chat = loaded.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    marked = [i for i, m in zip(chat["input_ids"], chat["assistant_masks"], strict=True) if m]
    assert loaded.convert_ids_to_tokens(marked) == ["plant", "<end>"]
    assert loaded.decode(marked, skip_special_tokens=True) == "plant"


def test_pre_training_sees_the_prompts_of_the_workflow(folder: Path) -> None:
    loaded = AutoTokenizer.from_pretrained(folder)
    ids, answers = next(pretraining.batches(replace(SHORT, curriculum=0.0, vague=0.0), 0))
    for row, position in zip(ids.tolist(), answers.tolist(), strict=True):
        text = loaded.convert_ids_to_tokens(row)
        slots = text[1 : text.index("<user>")]
        question = Question(*slots) if len(slots) == 3 else Question(slots[0], "", slots[1])
        words = text[text.index("words:") + 1 : text.index("<assistant>")]
        (example,) = encoded(
            loaded, question, [{"words": " ".join(words), "answer": question.answer(words)}]
        )
        assert row[: len(example["input_ids"])] == list(example["input_ids"])
        assert [label != -100 for label in example["labels"]].index(True) == position


def test_lists_grow_over_the_curriculum() -> None:
    settings = replace(SHORT, steps=20, curriculum=0.5)
    widths = [int(answers.max()) for _, answers in pretraining.batches(settings, 0)]
    assert widths[0] < widths[5] < widths[-1] == max(widths)


def test_same_seed_same_bytes_with_one_thread_and_with_two(folder: Path, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        pretraining.save(pretraining.pretrain(0, SHORT), tmp_path)
    finally:
        torch.set_num_threads(threads)
    for file in folder.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name


def test_pre_training_learns_and_reports_progress(folder: Path) -> None:
    reports: list[tuple[int, float]] = []
    settings = pretraining.Pretraining(steps=100, batch_size=16)
    pretraining.pretrain(1, settings, lambda step, loss: reports.append((step, loss)))
    ((step, loss),) = reports
    assert step == 100
    assert loss < 2.5  # the mean over the first hundred steps; it starts at log(102) = 4.6
    assert AutoModelForCausalLM.from_pretrained(folder).num_parameters() < 600_000
