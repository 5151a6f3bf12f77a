"""A tiny model, and a prepared task with some answers that the model gets right."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tasks.small import small_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from recycling.evaluate.evaluator import Evaluator
from recycling.tasks.examples import load_split, save_split
from recycling.tasks.prepare import prepare
from recycling.tasks.spec import load_spec


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return small_tokenizer()


def tiny_model(seed: int = 0, end: float = 0.0) -> LlamaForCausalLM:
    """A random Llama of 0.1 M parameters.

    end: scale of the end token's embedding, which is tied to the head. With a larger one, more
    answers end early.
    """
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=100,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.2,
        max_position_embeddings=512,
        eos_token_id=1,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config).eval().requires_grad_(False)
    model.lm_head.weight[1] *= 1 + end
    return model


@pytest.fixture(scope="session")
def model() -> LlamaForCausalLM:
    return tiny_model(end=2.0)


def make_task(
    folder: Path, tokenizer: Any, instruction: str = "w1 w2 w3 w4 w5", **more: Any
) -> Path:
    """A prepared task of inputs of one to twelve words."""
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(0)
    with open(folder / "data.jsonl", "w") as file:
        for row in range(200):
            length = 1 + row % 12
            words = torch.randint(0, 94, (length,), generator=generator).tolist()
            text = " ".join(f"w{word}" for word in words)
            file.write(json.dumps({"text": f"{text} w{row % 90} w{row // 90}", "y": "w9"}) + "\n")
    dataset = {"files": {"train": "data.jsonl"}}
    spec = {"dataset": dataset, "inputs": "text", "target": "y", "instruction": instruction}
    (folder / "toy.yaml").write_text(json.dumps({**spec, "max_new_tokens": 6, **more}))
    prepare(
        load_spec(folder / "toy.yaml"),
        folder=folder / "toy",
        tokenizer=tokenizer,
        n_train=60,
        n_validation=20,
        n_in_house=60,
        test_cap=100,
        seed=0,
        max_prompt_tokens=500,
    )
    return folder / "toy"


def teach(folder: Path, tokenizer: Any, model: torch.nn.Module, *splits: str) -> None:
    """Make the model's own answers the targets of every second example."""
    for split in splits:
        records = Evaluator(tokenizer, folder, split)(model).records
        examples = load_split(folder, split)
        changed = [
            type(example)(example.id, example.instruction, example.input, record.prediction)
            if row % 2 and record.prediction
            else example
            for row, (example, record) in enumerate(zip(examples, records, strict=True))
        ]
        save_split(folder, split, changed)


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any, model: Any) -> Path:
    folder = make_task(tmp_path_factory.mktemp("task") / "t", tokenizer)
    teach(folder, tokenizer, model, "train", "validation", "test")
    return folder
