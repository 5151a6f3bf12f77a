"""Package versions pinned in the lock files."""

import functools
import re
from collections.abc import Iterable
from pathlib import Path

ENVS = Path(__file__).resolve().parents[2] / "envs"
LOCKS = tuple(ENVS / name for name in ("requirements.lock", "torch.txt"))
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)(?: ; ([^\\]*?))?(?: \\)?$")


def parse_pins(text: str) -> dict[str, dict[str, str]]:
    """Package (in lower case) -> environment marker ("" for any environment) -> version."""
    pins: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if match := PIN.match(line):
            pins.setdefault(match[1].lower(), {})[match[3] or ""] = match[2]
    return pins


def read_pins(paths: Iterable[str | Path]) -> dict[str, dict[str, str]]:
    """The pins of several lock files together, see `parse_pins`."""
    return parse_pins("\n".join(Path(path).read_text(encoding="utf-8") for path in paths))


@functools.cache
def locked_pins() -> dict[str, dict[str, str]]:
    """The pins of this repository's lock files."""
    return read_pins(LOCKS)
