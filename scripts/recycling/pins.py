"""The versions that the lock files pin."""

import functools
import re
from collections.abc import Iterable
from pathlib import Path

ENVS = Path(__file__).resolve().parents[2] / "envs"
LOCKS = tuple(ENVS / name for name in ("requirements.lock", "torch.txt"))
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)(?: ; ([^\\]*?))?(?: \\)?$")


def pins_in(text: str) -> dict[str, dict[str, str]]:
    """Package (in lower case) -> environment marker ("" for everywhere) -> version."""
    pins: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if match := PIN.match(line):
            pins.setdefault(match[1].lower(), {})[match[3] or ""] = match[2]
    return pins


def read_pins(paths: Iterable[str | Path]) -> dict[str, dict[str, str]]:
    """`pins_in` the files together."""
    return pins_in("\n".join(Path(path).read_text(encoding="utf-8") for path in paths))


@functools.cache
def locked_pins() -> dict[str, dict[str, str]]:
    """The pins of this repository's lock files."""
    return read_pins(LOCKS)
