"""Which settings a method takes, read from its source: importing it would import torch."""

import ast
import functools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).resolve().parents[1]
LORA = LIBRARY / "adapt/lora.py"
TRAINING = LIBRARY / "adapt/training.py"
OURS = LIBRARY / "adapt/ours.py"
PLAIN: Mapping[str, Any] = {"int": int, "float": int | float, "str": str, "bool": bool}
# What numbers of these names may be, whichever method takes them.
WHOLE = ("batch_size", "micro_batch", "evaluate_every", "save_every", "patience", "rank", "count",
         "evaluations", "top_k", "k")  # fmt: skip
NOT_NEGATIVE = ("lr", "target_lr", "steps", "weight_decay", "l1", "alpha", "bound", "norm")
SHARES = ("warmup", "dropout", "density")
Known = Mapping[str, str]  # setting -> its type, empty where that is no plain name


def method_file(method: Mapping[str, Any]) -> Path | None:
    """The source of a method, where it has one of its own."""
    if method["kind"] in ("merge", "adapt"):
        return LIBRARY / method["kind"] / f"{method['function']}.py"
    return LORA if method["kind"] == "lora" else None


def unknown_settings(method: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    """In words, each of `settings` that the method does not take, or not with a value of that type.

    A method whose source does not say what it takes is let be: it will say so itself. SyntaxError
    where the source cannot be read.
    """
    file = method_file(method)
    if file is None:
        known: Known | None = {}
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


def _beyond(values: Any, known: Known | None, where: str) -> Iterator[str]:
    if known is None or not isinstance(values, Mapping):
        return
    for name, value in values.items():
        if name not in known:
            yield f"{where}: unknown setting {name!r}; it takes {', '.join(known) or 'none'}"
        elif not _fits(value, known[name]):
            # YAML reads 1e-3 as text, 1.0e-3 as a number.
            yield f"{where}.{name}: {value!r} is no {known[name]}"
        elif isinstance(value, int | float) and (range_ := _range(name, value)):
            yield f"{where}.{name}: {value!r} is not {range_}"


def _fits(value: Any, kind: str) -> bool:
    if value is None or kind not in PLAIN:
        return True
    if isinstance(value, bool) or kind == "bool":
        return isinstance(value, bool) and kind == "bool"
    return isinstance(value, PLAIN[kind])


def _range(name: str, value: float) -> str | None:
    """What a number of this name must be, where it is not."""
    if name in WHOLE and not value >= 1:
        return "1 or more"
    if name in NOT_NEGATIVE and not 0 <= value < math.inf:
        return "0 or more"
    if name in SHARES and not 0 <= value <= 1:
        return "between 0 and 1"
    return None


def _plain(annotation: ast.expr | None) -> str:
    return annotation.id if isinstance(annotation, ast.Name) else ""


@functools.cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes(), str(file))


def _fields(file: Path, name: str) -> Known | None:
    """The annotated fields of a class; None where the file has no such class."""
    for node in _tree(file).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return {
                item.target.id: _plain(item.annotation)
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            }
    return None


def _keywords(file: Path, name: str) -> Known | None:
    """The settings of a merging function: its parameters but the adapters' and the seed."""
    for node in _tree(file).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            if node.args.kwarg:
                return None
            taken = (*node.args.args[1:], *node.args.kwonlyargs)
            return {arg.arg: _plain(arg.annotation) for arg in taken if arg.arg != "seed"}
    return None
