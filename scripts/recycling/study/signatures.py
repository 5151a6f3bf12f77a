"""Which settings a method takes, read from its source: importing it would import torch."""

import ast
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).resolve().parents[1]
LORA = LIBRARY / "adapt/lora.py"
TRAINING = LIBRARY / "adapt/training.py"
OURS = LIBRARY / "adapt/ours.py"


def method_file(method: Mapping[str, Any]) -> Path | None:
    """The source of a method, where it has one of its own."""
    if method["kind"] in ("merge", "adapt"):
        return LIBRARY / method["kind"] / f"{method['function']}.py"
    return LORA if method["kind"] == "lora" else None


def unknown_settings(method: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    """In words, each of `settings` that the method does not take.

    A method whose source does not say what it takes is let be: it will say so itself. SyntaxError
    where the source cannot be read.
    """
    file = method_file(method)
    if file is None:
        known: tuple[str, ...] | None = ()
    elif method["kind"] == "merge":
        known = _keywords(file, "merge")
    else:
        known = _fields(file, "Lora" if file == LORA else "Settings")
    yield from _beyond(settings, known, "settings")
    training = _fields(TRAINING, "Training")
    yield from _beyond(settings.get("training"), training, "settings.training")
    tuning = settings.get("tuning")
    if known and "tuning" in known and isinstance(tuning, Mapping):
        yield from _beyond(tuning, _fields(OURS, "Settings"), "settings.tuning")
        yield from _beyond(tuning.get("training"), training, "settings.tuning.training")


def _beyond(values: Any, known: tuple[str, ...] | None, where: str) -> Iterator[str]:
    if known is None or not isinstance(values, Mapping):
        return
    for name in values:
        if name not in known:
            yield f"{where}: unknown setting {name!r}; it takes {', '.join(known) or 'none'}"


@functools.cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes(), str(file))


def _fields(file: Path, name: str) -> tuple[str, ...] | None:
    """The annotated fields of a class; None where the file has no such class."""
    for node in _tree(file).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return tuple(
                item.target.id
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            )
    return None


def _keywords(file: Path, name: str) -> tuple[str, ...] | None:
    """The settings of a merging function: its parameters but the adapters' and the seed."""
    for node in _tree(file).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            if node.args.kwarg:
                return None
            names = [arg.arg for arg in (*node.args.args[1:], *node.args.kwonlyargs)]
            return tuple(name for name in names if name != "seed")
    return None
