"""The settings of the pool stage, with their defaults, checked by name and type."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from recycling.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Screening:
    """What a candidate must be. The defaults are the paper's filter, except `per_module_ranks`.

    norm_above < total norm of the scaled deltas <= norm_most.
    per_module_ranks: accept rank_pattern and alpha_pattern (the paper left them out).
    unstated_base: accept a config that names no base or a local path (shapes prove little).
    duplicates: keep adapters with the same weights as an earlier one.
    benign_options: options unknown here that the user has found harmless.
    exclude: repositories left out by name, e.g. one whose files the Hub can never deliver.
    """

    norm_above: float = 1.0
    norm_most: float = 1000.0
    per_module_ranks: bool = True
    unstated_base: bool = False
    duplicates: bool = False
    benign_options: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    config_bytes: int = 1_000_000
    header_bytes: int = 16_000_000
    weights_bytes: int = 8_000_000_000


@dataclass(frozen=True)
class Network:
    """How the Hub is asked. timeout: seconds of silence; a whole answer may take four times that.

    attempts: tries of a request before the job gives up (and can be resumed); workers: requests
    at a time; slowest: bytes a second below which a download counts as stalled.
    """

    workers: int = 8
    timeout: float = 30.0
    attempts: int = 6
    slowest: int = 50_000

    def __post_init__(self) -> None:
        for name in ("workers", "timeout", "attempts", "slowest"):
            if getattr(self, name) <= 0:
                raise UserError(f"hub.{name}: {getattr(self, name)!r} is not above 0")


def checked(kind: type[T], where: str, given: Mapping[str, Any]) -> T:
    """Build `kind` from a mapping. UserError naming the key that is unknown or of a wrong type."""
    defaults = {field.name: field.default for field in fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in defaults:
            raise UserError(f"{where}.{key}: no such setting; there are {', '.join(defaults)}")
        values[key] = _cast(f"{where}.{key}", value, defaults[key])
    return kind(**values)


def _cast(where: str, value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        right = isinstance(value, bool)
    elif isinstance(default, tuple):
        right = isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)
        value = tuple(value) if right else value
    else:
        number = int if isinstance(default, int) else int | float
        right = isinstance(value, number) and not isinstance(value, bool) and value >= 0
        value = type(default)(value) if right else value
    if not right:
        kind = "a list of text" if isinstance(default, tuple) else type(default).__name__
        raise UserError(f"{where}: {value!r} is not {kind}, as in {default!r}")
    return value


def network_of(hub: Mapping[str, Any]) -> Network:
    """The network settings in the `hub` section of a configuration."""
    known = {field.name for field in fields(Network)}
    return checked(Network, "hub", {key: hub[key] for key in known if key in hub})
