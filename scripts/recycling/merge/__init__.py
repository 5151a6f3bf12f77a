"""Merging K adapters into one delta a module: one file a method.

A method is a module with

    merge(parts: Sequence[LowRank | None], **settings) -> LowRank | Tensor | None

for one module of the model: the K adapters' deltas in order, None where an adapter lacks the
module; None if all do. This file finds a method by its name and streams it over the modules.
"""

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recycling.errors import UserError

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

    `method`: see `find`. A method whose `merge` takes `seed` gets one of each module's own, derived
    from `seed` and the module's name. UserError at once for an unknown method or setting.
    """
    merge = find(method)
    known = inspect.signature(merge).parameters
    for name in settings:
        if name == "seed" or name == "parts" or name not in known:
            options = ", ".join(sorted(set(known) - {"parts", "seed"})) or "none"
            raise UserError(f"merge method {method}: no setting {name!r}; it takes: {options}")
    seeded = "seed" in known

    def stream() -> Iterator[tuple[str, "LowRank | Tensor"]]:
        for module in sorted(set().union(*adapters)):
            parts = [adapter.get(module) for adapter in adapters]
            extra = {"seed": module_seed(seed, module)} if seeded else {}
            delta = merge(parts, **settings, **extra)
            if delta is not None:
                yield module, delta

    return stream()


def find(method: str) -> Callable[..., Any]:
    """The `merge` function of a method.

    `method` is the name of a file of this package ("ties"), a dotted module ("my_package.mine"), or
    the path of a Python file ("methods/mine.py"). UserError where there is none.
    """
    try:
        if method.endswith(".py"):
            module = _load(Path(method))
        else:
            module = importlib.import_module(
                method if "." in method else f"recycling.merge.{method}"
            )
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise UserError(f"merge method {method}: not found ({error})") from None
    if not callable(getattr(module, "merge", None)):
        raise UserError(f"merge method {method}: {module.__name__} has no function `merge`")
    return module.merge


def _load(path: Path) -> Any:
    name = f"_merge_method_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up by name
    spec.loader.exec_module(module)
    return module


def module_seed(seed: int, module: str) -> int:
    """A seed of 63 bits for one module, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{module}".encode()).digest()[:8], "big") >> 1
