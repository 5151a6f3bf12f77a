"""How prompts are generated from: what they share, and which go together."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# A shorter common start is cheaper to compute again than to set apart.
SHORTEST_PREFIX = 4

# Tokens in a batch's cache for one that is computed: a shared prefix costs memory, but no time.
KEPT = 4


@dataclass(frozen=True)
class Batch:
    """Rows of the same or nearly the same length, padded on the left.

    `rows` are positions in the list of prompts; `ids` and `mask` have shape (rows, tokens); `mask`
    is 0 on padding, None where nothing is padded.
    """

    rows: list[int]
    ids: Tensor
    mask: Tensor | None


@dataclass(frozen=True)
class Batching:
    """A common `prefix` of all prompts, (1, tokens), or None, and the batches of what follows."""

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

    The longest common start of all prompts is set apart, short of the last token of the shortest
    one. A batch computes at most `batch_tokens` tokens, padding and answers included, and keeps
    (with the prefix of every row) at most `KEPT` times as many in its cache; it has at least one
    row. What fits a CPU's cache is best there: longer batches of long prompts are slower.
    """
    shared = _shared(prompts) if share_prefix else 0
    order = sorted(range(len(prompts)), key=lambda row: (-len(prompts[row]), row))
    batches: list[Batch] = []
    while order:
        kept = len(prompts[order[0]]) + max_new_tokens
        count = max(1, min(batch_tokens // (kept - shared), KEPT * batch_tokens // kept))
        batches.append(_batch(order[:count], prompts, shared, pad))
        order = order[count:]
    return Batching(torch.tensor([prompts[0][:shared]]) if shared else None, batches)


def _shared(prompts: Sequence[list[int]]) -> int:
    # what the first and the last in order have in common, all have
    first, last = min(prompts), max(prompts)
    pairs = enumerate(zip(first, last, strict=False))
    common = next((place for place, (a, b) in pairs if a != b), min(len(first), len(last)))
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
