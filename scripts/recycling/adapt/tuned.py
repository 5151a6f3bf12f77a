"""What tuning returns: it can be applied to a model, saved, and (where it is linear) exported."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from recycling.adapt.training import Fit
from recycling.errors import UserError
from recycling.files import atomic, read_json, write_json
from recycling.lora import LowRank, folded, stack

TENSORS, FACTS = "coefficients.safetensors", "coefficients.json"


class Tuned(Protocol):
    """The outcome of a method's `tune`."""

    fit: Fit

    def applied(self, model: nn.Module) -> contextlib.AbstractContextManager[Any]:
        """The model with the merge in it, for as long as the context lasts."""

    def save(self, folder: Path) -> None:
        """Write coefficients.safetensors and coefficients.json."""


@dataclass(frozen=True)
class Merged:
    """A weighted sum of adapters, module by module.

    weights: a module's coefficients after their activation, float32: one an adapter that has the
    module, in the adapters' order, or with granularity "rank" one a rank dimension.
    """

    fit: Fit
    adapters: Sequence[Mapping[str, LowRank]]
    weights: Mapping[str, Tensor]
    granularity: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def deltas(self) -> Iterator[tuple[str, LowRank]]:
        """(module, merged delta) in sorted order, each as exact stacked factors."""
        for module in sorted(self.weights):
            parts = [adapter[module] for adapter in self.adapters if module in adapter]
            weights = self.weights[module]
            if self.granularity == "rank":
                whole = stack(parts)
                yield module, LowRank(whole.A.float() * weights[:, None], whole.B, whole.scaling)
            else:
                yield module, stack(parts, weights.tolist())

    def applied(self, model: nn.Module) -> contextlib.AbstractContextManager[Any]:
        """The merge folded into the weights: the model runs at its own speed."""
        return folded(model, self.deltas())

    def save(self, folder: Path) -> None:
        """Write the coefficients and, as JSON, what they belong to."""
        folder = Path(folder)
        members = {
            module: [i for i, adapter in enumerate(self.adapters) if module in adapter]
            for module in sorted(self.weights)
        }
        facts = {
            **self.facts,
            "granularity": self.granularity,
            "adapters": [getattr(a, "name", str(i)) for i, a in enumerate(self.adapters)],
            "members": members,
            "best_step": self.fit.best_step,
            "losses": [list(entry) for entry in self.fit.losses],
        }
        write_tensors(folder / TENSORS, self.weights)
        write_json(folder / FACTS, facts)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A safetensors file, atomically, with the same bytes for the same tensors."""
    with atomic(path) as temporary:
        temporary.write_bytes(save({k: tensors[k].contiguous() for k in sorted(tensors)}))


def restore(folder: Path, adapters: Sequence[Mapping[str, LowRank]]) -> Merged:
    """The merge that `Merged.save` wrote, over the same adapters in the same order.

    UserError where the adapters are not those of the file.
    """
    folder = Path(folder)
    facts = read_json(folder / FACTS)
    names = [getattr(a, "name", str(i)) for i, a in enumerate(adapters)]
    if names != facts["adapters"]:
        raise UserError(f"{folder / FACTS}: made from adapters {facts['adapters']}, given {names}")
    losses = tuple((int(step), float(loss)) for step, loss in facts["losses"])
    best = min((loss for _, loss in losses), default=float("nan"))
    fit = Fit(int(facts["best_step"]), best, losses)
    return Merged(fit, adapters, load_file(folder / TENSORS), facts["granularity"], facts)


def coefficient_map(folder: Path) -> tuple[list[str], list[str], Tensor]:
    """Modules, adapters, and the matrix of coefficients between them, NaN where a module lacks.

    With granularity "rank" there is no such matrix: UserError.
    """
    facts, weights = read_json(Path(folder) / FACTS), load_file(Path(folder) / TENSORS)
    if facts["granularity"] == "rank":
        raise UserError(f"{folder}: coefficients are one a rank dimension, not one an adapter")
    modules = sorted(facts["members"])
    matrix = torch.full((len(modules), len(facts["adapters"])), float("nan"))
    for row, module in enumerate(modules):
        matrix[row, facts["members"][module]] = weights[module]
    return modules, facts["adapters"], matrix
