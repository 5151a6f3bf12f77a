"""What a method, a selection or a control takes and returns, read from its source."""

import contextlib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recycling import plugins
from recycling.errors import UserError
from recycling.settings import keywords
from recycling.store.code import closure
from recycling.study.source import source

LORA = Path(__file__).resolve().parents[1] / "adapt/lora.py"
METHODS = {"merge": plugins.MERGE, "adapt": plugins.ADAPT}


@dataclass(frozen=True)
class NoSettings:
    """The settings of what takes none."""


@dataclass(frozen=True)
class Signature:
    """settings: their dataclass, None where the source does not state it. takes: names of the
    parameters. returns: names in the return type.
    """

    settings: type | None
    takes: frozenset[str] = frozenset()
    returns: frozenset[str] = frozenset()


@functools.cache
def signature(name: str, kind: plugins.Kind) -> Signature:
    """What the module of that name takes and returns.

    An adaptive method states its settings as a dataclass `Settings`, the others as keywords of
    their function. Raises UserError if there is no such module, or its source cannot be read.
    """
    path = plugins.locate(name, kind.package)
    with _readable(path):
        closure(path)  # what it imports must be readable too
        text = source(path)
        if kind.function not in text.definitions:
            raise UserError(f"{path} has no function {kind.function!r}")
        settings = None
        if kind is not plugins.ADAPT:
            function = text.function(kind.function, kind.given)
            settings = keywords(function, kind.given) if function else None
        elif "Settings" in text.definitions:
            settings = text.get("Settings")
    takes, returns = text.parameters(kind.function), text.returned(kind.function)
    return Signature(settings, frozenset(takes), frozenset(returns))


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Errors of a source as UserError: it is someone's own file, and nothing has run yet."""
    try:
        yield
    except UserError:
        raise
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}: " if error.filename else ""
        raise UserError(f"{where}{error.msg}") from None
    except Exception as error:
        raise UserError(f"{path}: {type(error).__name__}: {error}") from None


def method_signature(method: Mapping[str, Any]) -> Signature:
    """The signature of an entry of the config's `methods`."""
    if method["kind"] in METHODS:
        return signature(method["function"], METHODS[method["kind"]])
    return Signature(source(LORA).get("Lora") if method["kind"] == "lora" else NoSettings)
