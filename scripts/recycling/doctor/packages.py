"""Python, the locked packages and the GPU."""

import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from packaging.markers import Marker
from packaging.version import Version

from recycling.doctor import Finding

INSTALL = "run make .venv/ready to install the locked packages"


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether the lock supports this version of Python."""
    name = f"Python {'.'.join(map(str, version))}"
    if (3, 11) <= version < (3, 14):
        return Finding("ok", name)
    return Finding("problem", name, "use 3.11 to 3.13, e.g. make .venv/ready PYTHON=python3.12")


def locked_packages(pins: Mapping[str, Mapping[str, str]]) -> Finding:
    """Whether every package is installed in its locked version. pins: see `pins.read_pins`."""
    locked = {
        name: version
        for name, by_marker in pins.items()
        for marker, version in by_marker.items()
        if not marker or Marker(marker).evaluate()
    }
    installed = {name: _installed(name) for name in locked}
    missing = [name for name, version in installed.items() if version is None]
    if missing:
        return Finding("problem", f"not installed: {_first_names(missing)}", INSTALL)
    different = [f"{name} {installed[name]} (locked {locked[name]})" for name in locked
                 if _public(installed[name]) != _public(locked[name])]  # fmt: skip
    if different:
        return Finding("warning", f"not the locked version: {_first_names(different)}", INSTALL)
    return Finding("ok", f"{len(locked)} packages in their locked versions")


def gpu(base: Mapping[str, Any], elsewhere: bool) -> Iterator[Finding]:
    """Whether torch sees a GPU that supports the base's dtype.

    base: section `base` of the configuration. elsewhere: whether jobs run on other nodes.
    """
    try:
        import torch
    except ImportError as error:
        yield Finding("problem", f"torch cannot be imported ({error})", INSTALL)
        return
    if base["device"] == "cpu":
        yield Finding("ok", "the study runs on the CPU")
    elif torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        yield Finding("ok", f"GPU {properties.name}, {properties.total_memory / 2**30:.0f} GB")
        if base["dtype"] == "bfloat16" and not torch.cuda.is_bf16_supported(False):
            fix = "set base.dtype to float16, or use a newer GPU (Ampere or later)"
            yield Finding("warning", "this GPU does not support bfloat16 natively", fix)
    elif elsewhere:
        yield Finding("ok", "no GPU on this machine; jobs run on other nodes")
    else:
        fix = "install torch's CUDA build, or set base.device to cpu (slow)"
        level = "problem" if base["device"] == "cuda" else "warning"
        yield Finding(level, "torch sees no GPU", fix)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _public(version: str | None) -> str:
    """A version without its build: 2.13.0 for 2.13.0+cpu and 2.13.0+cu130."""
    return Version(version or "0").public


def _first_names(names: list[str], limit: int = 4) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
