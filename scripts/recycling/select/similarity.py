"""Similarity of the weights of pool adapters and target LoRAs.

Every measure is computed module by module and averaged over the union of both adapters' modules. A
module that one of them lacks scores 0, as in the recycling paper's code. (L2 instead is the
distance of the whole deltas, where a missing module counts as a delta of zero.)
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from recycling.errors import UserError
from recycling.lora.lowrank import LowRank
from recycling.select._products import DeltaStack, elementwise_products, inner_products

MEASURES = ("cosine", "abs", "clamp", "clamp_pm", "quasi_fim", "l2", "rank")
BATCH = 32  # adapters in memory at a time, one module of each

Adapters = Mapping[str, Mapping[str, LowRank]]
Parts = Sequence[Mapping[str, LowRank]]


def similarities(
    adapters: Adapters, targets: Adapters, measures: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """measure -> target -> adapter -> score; a higher score means more similar.

    With a and b the entries of the two deltas of a module:
    - cosine: sum a b / (|a| |b|), from the factors alone
    - abs: sum |a b| / (|a| |b|)
    - clamp: sum max(a b, 0) / (|a| |b|), which is (abs + cosine) / 2
    - clamp_pm: mean of the cosine of the positive parts and that of the negative parts, each with
      its own norms (an interpretation: the paper names it without a formula)
    - quasi_fim: cosine of a^2 and b^2 (pi-Tuning, Wu et al. 2023: the diagonal Fisher information
      of a task, with squared weights in place of squared gradients)
    - l2: minus the Frobenius distance of the scaled deltas
    - rank: the smaller rank over the larger

    A delta of zero scores 0, except for l2 and rank. Each adapter is read once for all targets;
    memory holds one module of all targets and of BATCH adapters. Raises UserError for an unknown
    measure.
    """
    for measure in measures:
        if measure not in MEASURES:
            raise UserError(f"similarity {measure!r}: expected one of {', '.join(MEASURES)}")
    pool, loras = list(adapters.values()), list(targets.values())
    sums = {name: torch.zeros(len(pool), len(loras)).double() for name in measures}
    for module in sorted(set().union(*pool, *loras)):
        columns = [i for i, lora in enumerate(loras) if module in lora]
        right = DeltaStack.of([loras[i][module] for i in columns]) if columns else None
        if right and "l2" in sums:
            sums["l2"][:, columns] += right.squares
        members = [i for i, adapter in enumerate(pool) if module in adapter]
        for start in range(0, len(members), BATCH):
            rows = torch.tensor(members[start : start + BATCH])
            left = DeltaStack.of([pool[i][module] for i in rows.tolist()])
            if "l2" in sums:
                sums["l2"][rows] += left.squares[:, None]
            if right:
                for name, values in _compare(left, right, measures).items():
                    sums[name][rows[:, None], columns] += values
    scores = {name: _overall(name, total, pool, loras) for name, total in sums.items()}
    return {
        name: {
            target: dict(zip(adapters, score[:, i].tolist(), strict=True))
            for i, target in enumerate(targets)
        }
        for name, score in scores.items()
    }


def _compare(left: DeltaStack, right: DeltaStack, measures: Sequence[str]) -> dict[str, Tensor]:
    """One module's contribution to the sum of each measure, (n, m)."""
    values: dict[str, Tensor] = {}
    dots = inner_products(left, right)
    cosine = _cosine(dots, left.squares, right.squares)
    values["cosine"] = cosine
    values["l2"] = -2 * dots
    ranks = [
        torch.tensor([part.rank for part in deltas.parts]).double() for deltas in (left, right)
    ]
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
        products = elementwise_products(left, right, functions)
        cosines = {name: _cosine(*sums) for name, sums in products.items()}
        if "abs" in cosines:
            values["abs"] = cosines["abs"]
            values["clamp"] = (cosines["abs"] + cosine) / 2
        if "quasi_fim" in cosines:
            values["quasi_fim"] = cosines["quasi_fim"]
        if "positive" in cosines:
            values["clamp_pm"] = (cosines["positive"] + cosines["negative"]) / 2
    return {name: values[name] for name in measures}


def _cosine(products: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """products / sqrt(left * right), 0 where a square is 0."""
    norms = torch.outer(left, right).clamp(min=0).sqrt()
    return torch.where(norms > 0, products / norms, 0.0)


def _overall(name: str, total: Tensor, pool: Parts, loras: Parts) -> Tensor:
    """The measure of whole adapters from its sum over modules, (adapters, targets)."""
    if name == "l2":
        return -total.clamp(min=0).sqrt()
    unions = [[len(set(adapter) | set(lora)) for lora in loras] for adapter in pool]
    return total / torch.tensor(unions).double().view_as(total).clamp(min=1)
