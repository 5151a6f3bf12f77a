"""The small world's base model: a tiny Llama, pre-trained from scratch."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, get_cosine_schedule_with_warmup

from recycling.miniature import language, tokenizer


@dataclass(frozen=True)
class Pretraining:
    """Settings of the pre-training, with a cosine schedule after a short warm-up.

    warmup: share of the steps. curriculum: share of the steps over which the lists grow from one
    word to six. vague: probability that a slot of an instruction is left open.
    """

    steps: int = 1300
    batch_size: int = 96
    lr: float = 2.5e-3
    warmup: float = 0.05
    weight_decay: float = 0.01
    curriculum: float = 0.2
    vague: float = 0.1


def config() -> LlamaConfig:
    """A Llama with 0.53 million parameters; pairs of heads share keys and values."""
    return LlamaConfig(
        vocab_size=len(tokenizer.vocabulary()),
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=3,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=64,
        initializer_range=0.06,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=2,
        use_cache=True,
    )


def make_vague(question: language.Question, rng: random.Random, chance: float) -> language.Question:
    """Leave each slot of the instruction open with this probability; the meaning stays the same."""
    slots = (
        ("filter",) if question.output in language.AGGREGATES else ("output", "selection", "filter")
    )
    return replace(question, vague=frozenset(slot for slot in slots if rng.random() < chance))


def batches(settings: Pretraining, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """For each step: ids (batch, length), right-padded, and the answers' positions (batch,)."""
    ids = {token: i for i, token in enumerate(tokenizer.vocabulary())}
    questions, _ = language.split_questions()
    rng = random.Random(f"pre-training {seed}")
    for step in range(settings.steps):
        progress = step / max(1, settings.steps * settings.curriculum)
        longest = min(6, 1 + int(6 * progress))
        rows, answers = [], []
        for _ in range(settings.batch_size):
            question = make_vague(rng.choice(questions), rng, settings.vague)
            names = language.draw_words(question, rng, min(3, longest), longest)
            prompt = (
                f"{tokenizer.SYSTEM} {question.instruction} {tokenizer.USER} {language.LABEL} "
                f"{' '.join(names)} {tokenizer.ASSISTANT}"
            ).split()
            answers.append(len(prompt))
            rows.append([ids[token] for token in (*prompt, question.answer(names), tokenizer.END)])
        width = max(len(row) for row in rows)
        padded = [row + [ids[tokenizer.PAD]] * (width - len(row)) for row in rows]
        yield torch.tensor(padded), torch.tensor(answers)


def pretrain(
    seed: int, settings: Pretraining, progress: Callable[[int, float], None] | None = None
) -> LlamaForCausalLM:
    """Train a base from scratch, with loss on the answers only.

    progress: called every hundred steps with the step and the mean loss since the last call. The
    same seed and settings give the same weights on the same machine.
    """
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config())
    model.train()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.lr, betas=(0.9, 0.98), weight_decay=settings.weight_decay
    )
    schedule = get_cosine_schedule_with_warmup(
        optimizer, round(settings.warmup * settings.steps), settings.steps
    )
    total = 0.0
    for step, (ids, answer) in enumerate(batches(settings, seed), start=1):
        hidden = model.model(ids, use_cache=False).last_hidden_state
        rows = torch.arange(len(ids))
        # The token before the answer predicts the answer, and the answer predicts the end token.
        states = torch.cat([hidden[rows, answer - 1], hidden[rows, answer]])
        targets = torch.cat([ids[rows, answer], ids[rows, answer + 1]])
        loss = cross_entropy(model.lm_head(states), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += float(loss.detach())
        if progress and step % 100 == 0:
            progress(step, total / 100)
            total = 0.0
    return model.eval()


def save(model: LlamaForCausalLM, folder: str | Path) -> None:
    """Write model and tokenizer to a folder, as in a repository on the Hub."""
    model.generation_config.max_new_tokens = 3
    model.save_pretrained(folder)
    tokenizer.save(folder)
