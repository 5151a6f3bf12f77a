"""Variants of a method: its settings with some of them changed."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# (path, value), in the order of the paths; a path is dotted, as in "training.lr".
Variant = tuple[tuple[str, Any], ...]


def variants(vary: Mapping[str, Sequence[Any]], settings: Mapping[str, Any]) -> Iterator[Variant]:
    """Every combination of the values that `vary` lists by path.

    A value that `settings` has anyway is left out, so that a variant which is the method itself is
    the method's own run.
    """
    paths = sorted(vary)
    for values in itertools.product(*(vary[path] for path in paths)):
        yield tuple(
            (path, value)
            for path, value in zip(paths, values, strict=True)
            if _at(settings, path) != value
        )


def varied(settings: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `settings` with the values of `variant` (path -> value) in place."""
    changed = dict(settings)
    for path, value in variant.items():
        first, _, rest = path.partition(".")
        changed[first] = varied(changed.get(first) or {}, {rest: value}) if rest else value
    return changed


def in_words(variant: Mapping[str, Any]) -> str:
    """A variant as a cell of a table: "activation=softmax,training.lr=0.1"; empty for none."""
    return ",".join(f"{path}={value}" for path, value in sorted(variant.items()))


def _at(settings: Mapping[str, Any], path: str) -> Any:
    """The setting at a dotted path; None where there is none."""
    value: Any = settings
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
