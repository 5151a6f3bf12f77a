"""TIES: trim each delta, elect a sign for every entry, merge what agrees with it."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from recycling.lora.dense import BLOCK, dense_rows, row_blocks
from recycling.lora.lowrank import LowRank, accumulation_dtype
from recycling.merge._election import Combine, Election
from recycling.merge._threshold import magnitude_at
from recycling.settings import Above, AtMost


def merge(
    parts: Sequence[LowRank | None],
    density: Annotated[float, Above(0), AtMost(1)] = 0.2,
    combine: Combine = "mean",
    scale: float = 1.0,
) -> Tensor | None:
    """scale * merged, dense (out, in).

    Yadav et al. 2023, "TIES-merging", section 3: of each delta (of this module) keep the share
    `density` of greatest magnitude (entries tied with the last one kept stay, too), elect signs by
    the total, and take the mean of the kept values of the elected sign. `combine`: see `Election`;
    "sum" and "as_released" are the recycling paper's rule as meant and as its code does it. An
    adapter without the module counts as a delta of zero.
    Memory: a few blocks and the result, whatever K. Every delta is formed twice, block by block:
    once to find its threshold, once to merge.
    """
    present = [part for part in parts if part is not None]
    if not present:
        return None
    out, in_ = present[0].shape
    dtype = accumulation_dtype(*(part.A.dtype for part in present))
    buffer = torch.empty(max(BLOCK, in_), dtype=dtype)
    keep = max(1, int(density * out * in_))
    cuts = [None if part is None else _cut(part, keep, buffer) for part in parts]
    merged = torch.empty((out, in_), dtype=dtype)
    for rows in row_blocks((out, in_)):
        election = Election(merged[rows], len(parts), combine)
        for part, cut in zip(parts, cuts, strict=True):
            if part is None or cut is None:
                election.add(None)
                continue
            block = dense_rows(part, rows, buffer)
            election.add(torch.nn.functional.hardshrink(block, cut))
        torch.mul(election.result(), scale, out=merged[rows])
    return merged


def _cut(part: LowRank, keep: int, buffer: Tensor) -> float:
    """The magnitude that an entry must exceed to be kept."""
    number = np.float64 if buffer.dtype == torch.float64 else np.float32
    return float(np.nextafter(number(magnitude_at(part, keep, buffer)), number(0)))
