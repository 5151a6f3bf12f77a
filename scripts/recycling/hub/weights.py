"""The third pass of the screening: finite and trained weights, their norm, and duplicates."""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from recycling.errors import UserError
from recycling.hub.adapter_config import LoraConfig
from recycling.hub.reasons import Reject
from recycling.hub.settings import Screening
from recycling.lora.adapter import Adapter

# Part of the key of stored measurements: raise the number when the meaning of measure() changes.
MEASUREMENT_VERSION = "weights-1"


@dataclass(frozen=True)
class Measurement:
    """Facts about a weights file that do not depend on settings.

    norms: module -> Frobenius norm of B @ A, unscaled, and rank. content: a hash of names, shapes
    and values as float32; copies with other metadata, key spelling or a wider dtype have the same.
    bad: the first module with NaN or infinite weights, empty if there is none.
    """

    norms: dict[str, tuple[float, int]]
    content: str
    bad: str = ""

    def facts(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def measure(folder: Path) -> Measurement:
    """Measure a PEFT folder module by module. Raises Reject("unreadable") if it cannot be read."""
    digest = hashlib.sha256()
    norms: dict[str, tuple[float, int]] = {}
    try:
        adapter = Adapter.open(folder)
        for module in adapter.modules:
            part = adapter[module]
            for factor in (part.A, part.B):
                values = factor.to(torch.float32).contiguous()
                if not bool(torch.isfinite(values).all()):
                    return Measurement({}, "", module)
                digest.update(f"{module} {tuple(values.shape)}\n".encode())
                digest.update(values.numpy().data)
            norms[module] = (part.norm() / part.scaling, part.rank)
    except (UserError, RuntimeError, ValueError) as error:
        raise Reject("unreadable", str(error)) from None
    return Measurement(norms, digest.hexdigest())


def total_norm(measurement: Measurement, config: LoraConfig) -> float:
    """sqrt of the sum over modules of ||s B A||^2 with the module's own scaling s."""
    return math.sqrt(
        sum(
            (config.scaling(module, rank) * norm) ** 2
            for module, (norm, rank) in measurement.norms.items()
        )
    )


def screen_weights(measurement: Measurement, config: LoraConfig, settings: Screening) -> float:
    """The total norm of an accepted adapter. Raises Reject for any other."""
    if measurement.bad:
        raise Reject("not_finite", f"{measurement.bad} has NaN or infinite weights")
    norm = total_norm(measurement, config)
    if not math.isfinite(norm):
        raise Reject("not_finite", "the delta overflows")
    if norm == 0:
        raise Reject("untrained", f"all {len(measurement.norms)} modules have a delta of zero")
    if norm <= settings.norm_above:
        raise Reject("norm_too_small", f"{norm:.6g}, not above {settings.norm_above:g}")
    if norm > settings.norm_most:
        raise Reject("norm_too_large", f"{norm:.6g}, more than {settings.norm_most:g}")
    return norm
