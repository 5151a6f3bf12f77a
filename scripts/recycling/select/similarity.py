"""How alike the weights of pool adapters and of target LoRAs are.

Every measure is taken module by module and averaged over the union of the modules that either of
the two has; a module that one of them lacks scores 0 there, as in the recycling paper's code. (L2
is the distance of the whole deltas instead; a lacking module counts as a delta of zero.)
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from recycling.errors import UserError
from recycling.lora.lowrank import LowRank
from recycling.select._products import Side, elementwise, inner

MEASURES = ("cosine", "abs", "clamp", "clamp_pm", "quasi_fim", "l2", "rank")
BATCH = 32  # adapters in memory at a time, one module of each

Adapters = Mapping[str, Mapping[str, LowRank]]
Parts = Sequence[Mapping[str, LowRank]]


def similarities(
    adapters: Adapters, targets: Adapters, measures: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """measure -> target -> adapter -> score; more is more alike.

    With a and b the entries of the two deltas of a module:
    - cosine: sum a b / (|a| |b|), from the factors alone
    - abs: sum |a b| / (|a| |b|)
    - clamp: sum max(a b, 0) / (|a| |b|), which is (abs + cosine) / 2
    - clamp_pm: mean of the cosine of the positive parts and that of the negative parts, each with
      norms of its own (our reading: the paper names it without a formula)
    - quasi_fim: cosine of a^2 and b^2 (pi-Tuning, Wu et al. 2023: the diagonal Fisher information
      of a task, with squared weights in place of squared gradients)
    - l2: minus the Frobenius distance of the scaled deltas
    - rank: the smaller rank over the larger
    A delta of zero is like nothing: 0 but for l2 and rank. Each adapter is read once for all
    targets; memory holds one module of the targets and of BATCH adapters. UserError for an unknown
    measure.
    """
    for measure in measures:
        if measure not in MEASURES:
            raise UserError(f"similarity {measure!r}: expected one of {', '.join(MEASURES)}")
    pool, aims = list(adapters.values()), list(targets.values())
    sums = {name: torch.zeros(len(pool), len(aims)).double() for name in measures}
    for module in sorted(set().union(*pool, *aims)):
        columns = [i for i, aim in enumerate(aims) if module in aim]
        right = Side.of([aims[i][module] for i in columns]) if columns else None
        if right and "l2" in sums:
            sums["l2"][:, columns] += right.squares
        having = [i for i, adapter in enumerate(pool) if module in adapter]
        for start in range(0, len(having), BATCH):
            rows = torch.tensor(having[start : start + BATCH])
            left = Side.of([pool[i][module] for i in rows.tolist()])
            if "l2" in sums:
                sums["l2"][rows] += left.squares[:, None]
            if right:
                for name, values in _compare(left, right, measures).items():
                    sums[name][rows[:, None], columns] += values
    scores = {name: _overall(name, total, pool, aims) for name, total in sums.items()}
    return {
        name: {
            target: dict(zip(adapters, score[:, i].tolist(), strict=True))
            for i, target in enumerate(targets)
        }
        for name, score in scores.items()
    }


def _compare(left: Side, right: Side, measures: Sequence[str]) -> dict[str, Tensor]:
    """What one module adds to each measure's sum, (n, m)."""
    values: dict[str, Tensor] = {}
    dots = inner(left, right)
    cosine = _cosine(dots, left.squares, right.squares)
    values["cosine"] = cosine
    values["l2"] = -2 * dots
    ranks = [torch.tensor([part.rank for part in side.parts]).double() for side in (left, right)]
    grid = torch.meshgrid(*ranks, indexing="ij")
    values["rank"] = torch.minimum(*grid) / torch.maximum(*grid)
    functions: dict[str, Callable[[Tensor], Tensor]] = {}
    if {"abs", "clamp"} & set(measures):
        functions["abs"] = torch.abs
    if "quasi_fim" in measures:
        functions["quasi_fim"] = torch.square
    if "clamp_pm" in measures:
        functions |= {"positive": torch.relu, "negative": lambda dense: torch.relu(-dense)}
    if functions:
        parts = {name: _cosine(*sums) for name, sums in elementwise(left, right, functions).items()}
        if "abs" in parts:
            values["abs"] = parts["abs"]
            values["clamp"] = (parts["abs"] + cosine) / 2
        if "quasi_fim" in parts:
            values["quasi_fim"] = parts["quasi_fim"]
        if "positive" in parts:
            values["clamp_pm"] = (parts["positive"] + parts["negative"]) / 2
    return {name: values[name] for name in measures}


def _cosine(products: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """products / sqrt(left right), 0 where a square is 0."""
    norms = torch.outer(left, right).clamp(min=0).sqrt()
    return torch.where(norms > 0, products / norms, 0.0)


def _overall(name: str, total: Tensor, pool: Parts, aims: Parts) -> Tensor:
    """The measure of whole adapters from its sum over modules, (adapters, targets)."""
    if name == "l2":
        return -total.clamp(min=0).sqrt()
    modules = [set(adapter) for adapter in pool]
    unions = [[len(mine | set(aim)) for aim in aims] for mine in modules]
    return total / torch.tensor(unions).double().view_as(total).clamp(min=1)
