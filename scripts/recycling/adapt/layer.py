"""The adaptive layer: a frozen model whose linear modules carry K weighted adapters.

Per module the adapters are stacked once, A (R, in) and B (out, R) with R the sum of their ranks,
and a forward pass computes base(x) + ((x A^T) * c s) B^T with the coefficients in float32. Nothing
is saved for the frozen factors' gradients. Small matrices take a cheaper exact form: the deltas
are made dense once and the weighted sum is added to the weight in each step.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recycling.adapt.coefficients import Coefficients
from recycling.errors import UserError
from recycling.lora import LowRank

# Elements of K dense deltas of one module up to which they are kept. At 128 x 320, K = 20 and 130
# tokens a step costs 10 % to 50 % less than with factors; at an LLM's sizes they would not fit.
DENSE_LIMIT = 2**22


class AdaptiveModel(nn.Module):
    """The model with its coefficients; made by `attached`."""

    def __init__(self, model: nn.Module, coefficients: Coefficients) -> None:
        super().__init__()
        self.model = model
        self.coefficients = coefficients
        self.values: tuple[Tensor, ...] = ()

    def forward(self, **inputs: Any) -> Any:
        self.values = self.coefficients().unbind(0)
        return self.model(**inputs)

    def gradient_checkpointing_enable(self, **kwargs: Any) -> None:
        self.model.gradient_checkpointing_enable(**kwargs)  # type: ignore[operator]

    def gradient_checkpointing_disable(self) -> None:
        self.model.gradient_checkpointing_disable()  # type: ignore[operator]


@contextlib.contextmanager
def attached(
    model: nn.Module,
    adapters: Sequence[Mapping[str, LowRank]],
    coefficients: Coefficients,
    dense_limit: int = DENSE_LIMIT,
) -> Iterator[AdaptiveModel]:
    """The model with `adapters` under `coefficients`; only the coefficients require gradients.

    On exit the model is as it was. UserError where an adapter's module does not fit the model.
    """
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    adaptive = AdaptiveModel(model, coefficients)
    with contextlib.ExitStack() as stack:
        for parameter, _ in flags:
            parameter.requires_grad_(False)
        device = next(model.parameters()).device
        coefficients.to(device)
        for name in coefficients.modules_:
            module = linear(model, name)
            forward = _forward(module, name, adapters, adaptive, dense_limit)
            stack.enter_context(replaced(module, forward))
        try:
            yield adaptive
        finally:
            coefficients.to("cpu")
            for parameter, flag in flags:
                parameter.requires_grad_(flag)


def linear(model: nn.Module, name: str) -> nn.Linear:
    """The linear module of that name. UserError where there is none."""
    try:
        module = model.get_submodule(name)
    except AttributeError:
        module = None
    if not isinstance(module, nn.Linear):
        raise UserError(f"{name}: an adapter has this module, but the model has no such nn.Linear")
    return module


@contextlib.contextmanager
def replaced(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Let `module` compute `forward` for a while."""
    before = module.__dict__.get("forward")
    module.forward = forward  # type: ignore[method-assign]
    try:
        yield
    finally:
        del module.forward
        if before is not None:
            module.forward = before  # type: ignore[method-assign]


def factors(
    module: nn.Linear, name: str, adapters: Sequence[Mapping[str, LowRank]]
) -> list[LowRank]:
    """The adapters' factors for a module, in their order, those that lack it left out."""
    parts = [adapter[name] for adapter in adapters if name in adapter]
    for part in parts:
        if part.shape != tuple(module.weight.shape):
            raise UserError(
                f"{name}: an adapter's delta is {part.shape[0]} x {part.shape[1]}, the model's "
                f"weight {module.weight.shape[0]} x {module.weight.shape[1]}"
            )
    return parts


def _forward(
    module: nn.Linear,
    name: str,
    adapters: Sequence[Mapping[str, LowRank]],
    adaptive: AdaptiveModel,
    dense_limit: int,
) -> Callable[[Tensor], Tensor]:
    coefficients, weight = adaptive.coefficients, module.weight
    parts = factors(module, name, adapters)
    row, columns = coefficients.groups[name], coefficients.columns[name]
    per_rank = coefficients.granularity == "rank"
    if not per_rank and len(parts) * weight.numel() <= dense_limit:
        index = torch.unique(columns).to(weight.device)
        dense = torch.stack([part.delta().flatten() for part in parts]).to(weight.device).T
        flat = weight.detach().float().flatten()

        def merged(x: Tensor) -> Tensor:
            total = torch.addmv(flat, dense, adaptive.values[row][index])
            return F.linear(x, total.view(weight.shape).to(weight.dtype), module.bias)

        return merged

    a = torch.cat([part.A for part in parts]).to(weight)
    b = torch.cat([part.B for part in parts], dim=1).to(weight)
    ranks = torch.tensor([part.rank for part in parts])
    scaling = torch.repeat_interleave(torch.tensor([p.scaling for p in parts]), ranks)
    scaling, columns = scaling.to(weight.device), columns.to(weight.device)
    base = module.forward

    def added(x: Tensor) -> Tensor:
        hidden = F.linear(x, a) * (adaptive.values[row][columns] * scaling)
        return base(x) + F.linear(hidden.to(x.dtype), b)

    return added
