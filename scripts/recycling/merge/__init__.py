"""Merging K adapters into one delta a module: one file per method.

A method is a module with

    merge(parts: Sequence[LowRank | None], **settings) -> LowRank | Tensor | None

for one module of the model: the K adapters' deltas in order, None where an adapter lacks the
module; None if all do. Its keyword parameters are its settings: their types (see
`recycling.settings`) say which values they take. Its return type says whether the delta leaves as
exact factors (LowRank) or dense (Tensor). This file finds a method by its name and streams it over
the modules.
"""

import hashlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recycling.plugins import MERGE, load_function
from recycling.settings import keywords, parse

if TYPE_CHECKING:
    from torch import Tensor

    from recycling.lora.lowrank import LowRank


def merge_adapters(
    method: str,
    adapters: Sequence[Mapping[str, "LowRank"]],
    settings: Mapping[str, Any],
    seed: int = 0,
) -> Iterator[tuple[str, "LowRank | Tensor"]]:
    """Merge module by module, in the order of their names; memory does not grow with modules.

    `method`: the name of a file of this package, a dotted module or the path of a Python file (see
    `recycling.plugins`). A method whose `merge` takes `seed` gets one of each module's own, derived
    from `seed` and the module's name. UserError at once for an unknown method or a wrong setting.
    """
    merge = load_function(method, MERGE)
    options = vars(parse(keywords(merge, MERGE.given), settings, f"merge method {method}"))
    seeded = "seed" in inspect.signature(merge).parameters

    def stream() -> Iterator[tuple[str, "LowRank | Tensor"]]:
        for module in sorted(set().union(*adapters)):
            parts = [adapter.get(module) for adapter in adapters]
            extra = {"seed": module_seed(seed, module)} if seeded else {}
            delta = merge(parts, **options, **extra)
            if delta is not None:
                yield module, delta

    return stream()


def module_seed(seed: int, module: str) -> int:
    """A seed of 63 bits for one module, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{module}".encode()).digest()[:8], "big") >> 1
