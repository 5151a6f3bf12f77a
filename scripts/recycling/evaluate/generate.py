"""Greedy generation with a model in memory."""

import torch
from torch import Tensor, nn

from recycling.evaluate.batching import Batch, Batching
from recycling.evaluate.kv_cache import BufferedCache


@torch.no_grad()  # inference mode would make tensors unusable for a later training
def greedy(
    model: nn.Module, prompts: Batching, *, ends: set[int], max_new_tokens: int
) -> list[list[int]]:
    """Token ids of each prompt's answer, in the order of the prompts, without the end token.

    ends: the token ids that end an answer. The shared prefix is computed once. When half the rows
    of a batch have ended, they are removed from it.
    """
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    try:
        prefix = None if prompts.prefix is None else _prefix(model, prompts.prefix.to(device))
        answers: list[list[int]] = [[] for batch in prompts.batches for _ in batch.rows]
        for batch in prompts.batches:
            batch_answers = _answers(model, batch, prefix, ends, max_new_tokens, device)
            for row, answer in zip(batch.rows, batch_answers, strict=True):
                answers[row] = answer
        return answers
    finally:
        model.train(training)


def _answers(
    model: nn.Module,
    batch: Batch,
    prefix: BufferedCache | None,
    ends: set[int],
    max_new_tokens: int,
    device: torch.device,
) -> list[list[int]]:
    count, length = batch.ids.shape
    start = 0 if prefix is None else prefix.get_seq_length()
    cache = BufferedCache(_layers(model), count, start + length + max_new_tokens, prefix)
    ids, mask, positions = _inputs(batch, start, max_new_tokens, device)
    end_ids = torch.tensor(sorted(ends), device=device)
    answers: list[list[int]] = [[] for _ in range(count)]
    active = torch.arange(count, device=device)  # the row's index, -1 once it has ended
    for step in range(max_new_tokens):
        context = start + length + step
        logits = model(
            ids,
            attention_mask=None if mask is None else mask[:, :context],
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits
        tokens = logits[:, -1].argmax(-1)
        ended = torch.isin(tokens, end_ids)
        for row, token, end in zip(active.tolist(), tokens.tolist(), ended.tolist(), strict=True):
            if not end and row >= 0:
                answers[row].append(token)
        active = torch.where(ended, -1, active)
        kept = (active >= 0).nonzero().squeeze(1)
        if len(kept) == 0:
            break
        positions = positions[:, -1:] + 1
        if 2 * len(kept) <= len(active):
            cache.select(kept)
            active, tokens, positions = active[kept], tokens[kept], positions[kept]
            mask = None if mask is None else mask[kept]
        ids = tokens[:, None]
    return answers


def _prefix(model: nn.Module, ids: Tensor) -> BufferedCache:
    cache = BufferedCache(_layers(model), 1, ids.shape[1])
    model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return cache


def _layers(model: nn.Module) -> int:
    return int(model.config.num_hidden_layers)  # type: ignore[union-attr,arg-type]


def _inputs(
    batch: Batch, start: int, max_new_tokens: int, device: torch.device
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Token ids, the mask over prefix, prompt and future answer, and positions."""
    count, length = batch.ids.shape
    ids = batch.ids.to(device)
    if batch.mask is None:
        return ids, None, torch.arange(start, start + length, device=device).expand(count, -1)
    mask = batch.mask.to(device)
    positions = start + (mask.cumsum(1) - 1).clamp(min=0)
    before, after = mask.new_ones((count, start)), mask.new_ones((count, max_new_tokens))
    return ids, torch.cat([before, mask, after], dim=1), positions
