"""Byte-level BPE with a chat template as in Llama 3 or in Qwen.

The former writes a start token, which its tokenizer also adds: the prompt must have only one.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from recycling.evaluate.evaluator import Evaluator
from recycling.tasks.encoding import IGNORE_INDEX, encode
from recycling.tasks.examples import load_split
from recycling.tasks.prepare import prepare
from recycling.tasks.spec import load_spec

LLAMA = (
    "<|start|>{% for m in messages %}<|header|>{{ m['role'] }}<|/header|>\n\n"
    "{{ m['content'] | trim }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|header|>assistant<|/header|>\n\n{% endif %}"
)
QWEN = (
    "{% for m in messages %}<|header|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|header|>assistant\n{% endif %}"
)
INSTRUCTION = "Decide whether the review likes the film. Reply with one of: {labels}"
SPECIAL = ["<|start|>", "<|end|>", "<|header|>", "<|/header|>", "<|pad|>"]


def bpe(template: str, texts: list[str]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if template is LLAMA:
        start = ("<|start|>", tokenizer.token_to_id("<|start|>"))
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|start|> $A", special_tokens=[start]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|start|>",
        eos_token="<|end|>",
        pad_token="<|pad|>",
        chat_template=template,
    )


@pytest.mark.parametrize("template", [LLAMA, QWEN], ids=["llama", "qwen"])
def test_training_evaluation_and_lm_eval_see_the_same_prompt(template: str, tmp_path: Path) -> None:
    rows = [
        {"text": f"film {row} was {'good' if row % 2 else 'bad, very bad'}", "y": row % 2}
        for row in range(120)
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    spec = {"dataset": {"files": {"train": "data.jsonl"}}, "inputs": {"REVIEW": "text"}}
    spec |= {"target": "y", "labels": {0: "dislikes it", 1: "likes it"}}
    (tmp_path / "film.yaml").write_text(json.dumps({**spec, "instruction": INSTRUCTION}))
    tokenizer = bpe(template, [INSTRUCTION, *(row["text"] for row in rows)])
    folder = tmp_path / "film"
    prepare(
        load_spec(tmp_path / "film.yaml"),
        folder=folder,
        tokenizer=tokenizer,
        n_train=20,
        n_validation=5,
        n_in_house=20,
        test_cap=12,
        seed=0,
        max_prompt_tokens=300,
    )
    encoded = encode(tokenizer, load_split(folder, "train"), max_length=300)
    for tokens, example in zip(encoded, load_split(folder, "train"), strict=True):
        answer = [label for label in tokens["labels"] if label != IGNORE_INDEX]
        assert tokenizer.decode(answer) == example.target + "<|end|>"
        assert tokens["input_ids"].count(tokenizer.bos_token_id) == (template is LLAMA)

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.3,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model: Any = LlamaForCausalLM(config).eval()
    evaluation = Evaluator(tokenizer, folder)(model)
    results = simple_evaluate(
        HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1, device="cpu"),
        tasks=["film"],
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        apply_chat_template=True,
        bootstrap_iters=0,
    )
    answers = {line["doc"]["id"]: line["filtered_resps"][0] for line in results["samples"]["film"]}
    assert answers == {record.id: record.prediction for record in evaluation.records}
    assert len(set(answers.values())) > 1
