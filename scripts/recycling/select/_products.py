"""Sums over the entries of many deltas against many deltas of one module."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from recycling.lora.dense import dense_rows, row_blocks
from recycling.lora.lowrank import LowRank, stack

BLOCK = 2**18  # entries of a delta that are dense at a time: 1 MB each


@dataclass(frozen=True)
class Side:
    """n deltas of one module, their factors concatenated."""

    parts: tuple[LowRank, ...]
    stacked: LowRank
    owner: Tensor  # (summed rank,) which delta a row of A belongs to
    squares: Tensor  # (n,) squared Frobenius norms, float64

    @classmethod
    def of(cls, parts: Sequence[LowRank]) -> "Side":
        """Read each part's factors once."""
        ranks = torch.tensor([part.rank for part in parts])
        stacked = stack(parts)
        pieces = [
            LowRank(stacked.A[start : start + rank], stacked.B[:, start : start + rank])
            for rank, start in zip(ranks.tolist(), (ranks.cumsum(0) - ranks).tolist(), strict=True)
        ]
        return cls(
            tuple(pieces),
            stacked,
            torch.repeat_interleave(torch.arange(len(parts)), ranks),
            torch.stack([_grams(piece, piece).sum() for piece in pieces]),
        )


def inner(left: Side, right: Side) -> Tensor:
    """(n, m) Frobenius inner products, float64, from the factors alone."""
    products = _grams(left.stacked, right.stacked)
    rows = products.new_zeros(len(left.parts), products.shape[1])
    rows.index_add_(0, left.owner, products)
    sums = products.new_zeros(len(left.parts), len(right.parts))
    return sums.index_add_(1, right.owner, rows)


def elementwise(
    left: Side, right: Side, functions: Mapping[str, Callable[[Tensor], Tensor]]
) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """For each function f: sum f(a) f(b) (n, m), sum f(a)^2 (n,) and sum f(b)^2 (m,), float64.

    Deltas are dense for BLOCK entries at a time, formed once for all functions; each block adds one
    matrix product a function.
    """
    n, m = len(left.parts), len(right.parts)
    sums = {
        name: (torch.zeros(n, m).double(), torch.zeros(n).double(), torch.zeros(m).double())
        for name in functions
    }
    for rows in row_blocks(left.stacked.shape, BLOCK):
        a, b = _dense(left, rows), _dense(right, rows)
        for name, function in functions.items():
            fa, fb = function(a), function(b)
            products, squares_a, squares_b = sums[name]
            products += fa @ fb.T
            squares_a += torch.linalg.vector_norm(fa, dim=1).double().square()
            squares_b += torch.linalg.vector_norm(fb, dim=1).double().square()
    return sums


def _grams(left: LowRank, right: LowRank) -> Tensor:
    """(A A'^T) * (B^T B'), whose segments sum to the inner products, float64."""
    return ((left.A @ right.A.T) * (left.B.T @ right.B)).double()


def _dense(side: Side, rows: slice) -> Tensor:
    """(n, entries) these rows of every delta, flat."""
    out, in_ = side.stacked.shape
    entries = len(range(*rows.indices(out))) * in_
    dense = side.stacked.A.new_empty(len(side.parts), entries)
    for part, line in zip(side.parts, dense, strict=True):
        dense_rows(part, rows, line)
    return dense
