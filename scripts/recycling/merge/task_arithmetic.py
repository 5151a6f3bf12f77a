"""Task arithmetic: a multiple of the sum of the deltas, kept as factors."""

from collections.abc import Sequence

from recycling.lora.lowrank import LowRank, stack


def merge(parts: Sequence[LowRank | None], scale: float = 0.3) -> LowRank | None:
    """scale * sum_i delta_i.

    Ilharco et al. 2023, "Editing models with task arithmetic", section 2: theta + lambda * sum tau.
    """
    present = [part for part in parts if part is not None]
    return stack(present, [scale] * len(present)) if present else None
