"""Python, the locked packages and the GPU."""

import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from packaging.markers import Marker
from packaging.version import Version

from recycling.doctor import Finding

INSTALL = "make .venv/ready installs what the lock says"


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is one that the lock is made for."""
    name = f"Python {'.'.join(map(str, version))}"
    if (3, 11) <= version < (3, 14):
        return Finding("ok", name)
    return Finding("problem", name, "use 3.11 to 3.13, e.g. make .venv/ready PYTHON=python3.12")


def packages(pins: Mapping[str, Mapping[str, str]]) -> Finding:
    """Whether every locked package is here in its locked version (`pins.read_pins`)."""
    wanted = {
        name: version
        for name, by_marker in pins.items()
        for marker, version in by_marker.items()
        if not marker or Marker(marker).evaluate()
    }
    found = {name: _installed(name) for name in wanted}
    missing = [name for name, version in found.items() if version is None]
    if missing:
        return Finding("problem", f"not installed: {_some(missing)}", INSTALL)
    other = [f"{name} {found[name]} (locked {wanted[name]})" for name in wanted
             if _public(found[name]) != _public(wanted[name])]  # fmt: skip
    if other:
        return Finding("warning", f"not as locked: {_some(other)}", INSTALL)
    return Finding("ok", f"{len(wanted)} packages as locked")


def gpu(base: Mapping[str, Any], elsewhere: bool) -> Iterator[Finding]:
    """Whether torch sees a GPU that has the base's dtype. elsewhere: jobs run on other nodes."""
    try:
        import torch
    except ImportError as error:
        yield Finding("problem", f"torch cannot be imported ({error})", INSTALL)
        return
    if base["device"] == "cpu":
        yield Finding("ok", "the study asks for the CPU")
    elif torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        yield Finding("ok", f"GPU {properties.name}, {properties.total_memory / 2**30:.0f} GB")
        if base["dtype"] == "bfloat16" and not torch.cuda.is_bf16_supported(False):
            cure = "set base.dtype to float16, or take a newer GPU (Ampere or later)"
            yield Finding("warning", "this GPU has no bfloat16 of its own", cure)
    elif elsewhere:
        yield Finding("ok", "no GPU here; jobs run on other nodes")
    else:
        cure = "install torch's build for CUDA, or set base.device to cpu and have patience"
        level = "problem" if base["device"] == "cuda" else "warning"
        yield Finding(level, "torch sees no GPU", cure)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _public(version: str | None) -> str:
    """A version without the build: 2.13.0+cpu and 2.13.0+cu130 are one."""
    return Version(version or "0").public


def _some(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
