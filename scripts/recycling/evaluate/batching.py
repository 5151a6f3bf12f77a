"""Groups prompts into batches for generation, with their common prefix separate."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# A shorter common prefix is cheaper to compute again than to handle separately.
SHORTEST_PREFIX = 4

# Tokens in a batch's cache per computed token: a shared prefix costs memory, but no time.
CACHE_FACTOR = 4


@dataclass(frozen=True)
class Batch:
    """Rows of the same or nearly the same length, padded on the left.

    rows: positions in the list of prompts. ids, mask: (rows, tokens). The mask is 0 on padding,
    None if nothing is padded.
    """

    rows: list[int]
    ids: Tensor
    mask: Tensor | None


@dataclass(frozen=True)
class Batching:
    """The common `prefix` of all prompts, (1, tokens), or None, and batches of what follows it."""

    prefix: Tensor | None
    batches: list[Batch]


def make_batches(
    prompts: Sequence[list[int]],
    *,
    pad: int,
    max_new_tokens: int,
    batch_tokens: int,
    share_prefix: bool = True,
) -> Batching:
    """Order prompts by length, the longest first, and cut them into batches.

    prompts: token ids. With `share_prefix` the longest common prefix becomes separate, at most up
    to the last but one token of the shortest prompt. A batch has at least one row. It computes at
    most `batch_tokens` tokens, including padding and answers, and its cache holds (including the
    prefix of every row) at most CACHE_FACTOR times as many. On a CPU, batches that fit its cache
    are fastest.
    """
    shared = _shared_length(prompts) if share_prefix else 0
    order = sorted(range(len(prompts)), key=lambda row: (-len(prompts[row]), row))
    batches: list[Batch] = []
    while order:
        length = len(prompts[order[0]]) + max_new_tokens
        count = min(batch_tokens // (length - shared), CACHE_FACTOR * batch_tokens // length)
        count = max(1, count)
        batches.append(_batch(order[:count], prompts, shared, pad))
        order = order[count:]
    return Batching(torch.tensor([prompts[0][:shared]]) if shared else None, batches)


def _shared_length(prompts: Sequence[list[int]]) -> int:
    # The common prefix of the first and the last in sorted order is common to all.
    first, last = min(prompts), max(prompts)
    pairs = enumerate(zip(first, last, strict=False))
    common = next((i for i, (a, b) in pairs if a != b), min(len(first), len(last)))
    shared = min(common, min(map(len, prompts)) - 1)
    return shared if shared >= SHORTEST_PREFIX and len(prompts) > 1 else 0


def _batch(rows: list[int], prompts: Sequence[list[int]], shared: int, pad: int) -> Batch:
    tails = [prompts[row][shared:] for row in rows]
    longest = max(map(len, tails))
    missing = [longest - len(tail) for tail in tails]
    ids = [[pad] * count + tail for count, tail in zip(missing, tails, strict=True)]
    if not any(missing):
        return Batch(rows, torch.tensor(ids), None)
    mask = [[0] * count + [1] * (longest - count) for count in missing]
    return Batch(rows, torch.tensor(ids), torch.tensor(mask))
