"""pi-Tuning (Wu et al. 2023) as the paper casts it: coefficients and the target LoRA's weights.

Softmax coefficients a module over the target LoRA and the adapters most similar to it; the others
stay frozen. Without the target LoRA among the adapters only the coefficients train.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recycling.adapt.coefficients import (
    Activation,
    Coefficients,
    Init,
    check_slope,
    check_target,
)
from recycling.adapt.fit import fit
from recycling.adapt.layer import AdaptiveModel, Forward, attached, factors, linear, replaced
from recycling.adapt.training import Encoded, Training
from recycling.adapt.tuned import Merged, Trained, names
from recycling.lora.lowrank import LowRank
from recycling.settings import NonNegative, parse


@dataclass(frozen=True)
class Settings:
    """Names as in `recycling.adapt.coefficients`; target_lr: the LoRA weights' (None: the same)."""

    granularity: Literal["expert", "layer", "sublayer", "module"] = "module"
    activation: Activation = "softmax"
    init: Init = "equal"
    target_lr: NonNegative | None = None
    training: Training = field(default_factory=lambda: Training(lr=1e-4, steps=100))

    def __post_init__(self) -> None:
        check_slope(self.activation, self.init)

    def check_merge(self, k: int, target: bool) -> None:
        """Raises UserError if such a merge is impossible: `k` adapters, with or without target."""
        check_target(self.init, target)


class Pair(nn.Module):
    """One module's factors of the target LoRA, trainable, in float32."""

    def __init__(self, part: LowRank, device: torch.device) -> None:
        super().__init__()
        self.A = nn.Parameter(part.A.to(device, torch.float32, copy=True))
        self.B = nn.Parameter(part.B.to(device, torch.float32, copy=True))
        self.scaling_ = part.scaling

    def factors(self) -> LowRank:
        return LowRank(self.A.detach().cpu(), self.B.detach().cpu(), self.scaling_)


def tune(
    model: nn.Module,
    adapters: Sequence[Mapping[str, LowRank]],
    train: Sequence[Encoded],
    validation: Sequence[Encoded],
    *,
    settings: Mapping[str, Any],
    seed: int,
    target: int | None,
) -> Merged:
    """Tune the coefficients of all adapters and the weights of adapter `target`."""
    options = parse(Settings, settings, "pi_tuning")
    training = options.training
    coefficients = Coefficients(
        adapters,
        granularity=options.granularity,
        activation=options.activation,
        init=options.init,
        seed=seed,
        target=target,
    )
    others = [{} if i == target else adapter for i, adapter in enumerate(adapters)]
    with attached(model, others, coefficients) as adaptive, contextlib.ExitStack() as stack:
        pairs: dict[str, Pair] = {}
        if target is not None:
            pairs = _pairs(model, adapters[target])
            adaptive.pairs = nn.ModuleList(pairs.values())
            for name, pair in pairs.items():
                forward = _forward(adaptive, linear(model, name), name, target, pair)
                stack.enter_context(replaced(linear(model, name), forward))
        rate = training.lr if options.target_lr is None else options.target_lr
        rates = {name: rate for name, _ in adaptive.named_parameters() if name.startswith("pairs.")}
        result = fit(adaptive, train, validation, training, seed, rates=rates)
    merged = list(adapters)
    if target is not None:
        factors = {name: pair.factors() for name, pair in pairs.items()}
        merged[target] = Trained(factors, names(adapters)[target])
    facts = {"method": "pi_tuning", "settings": asdict(options), "seed": seed}
    weights = coefficients.effective()
    return Merged(result, merged, weights, options.granularity, facts, target)


def _pairs(model: nn.Module, own: Mapping[str, LowRank]) -> dict[str, Pair]:
    """The target LoRA's factors on the model's device, after a look at their shapes."""
    device = next(model.parameters()).device
    return {m: Pair(factors(linear(model, m), m, [own])[0], device) for m in sorted(own)}


def _forward(
    adaptive: AdaptiveModel, module: nn.Linear, name: str, column: int, pair: Pair
) -> Forward:
    base, row = module.forward, adaptive.coefficients.groups[name]

    def forward(x: Tensor) -> Tensor:
        coefficient = adaptive.values[row][column] * pair.scaling_
        hidden = F.linear(x, pair.A.to(x.dtype)) * coefficient
        return base(x) + F.linear(hidden.to(x.dtype), pair.B.to(x.dtype))

    return forward
