"""Mistakes in methods, selections and controls, found in their sources before anything runs."""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from recycling import plugins
from recycling.errors import UserError
from recycling.settings import parse
from recycling.study.choices import CONTROLS, SELECTIONS
from recycling.study.signatures import Signature, method_signature, signature
from recycling.study.variants import variants, varied

Config = Mapping[str, Any]


def method_problems(config: Config) -> Iterator[str]:
    """Each method, selection or control whose module or whose settings are wrong."""
    for name, method in config["methods"].items():
        read = functools.partial(method_signature, method)
        yield from _plugin_problems(f"methods.{name}", method, read)
    for section, kind, built_in in (
        ("selections", plugins.SELECTION, SELECTIONS),
        ("controls", plugins.CONTROL, CONTROLS),
    ):
        for name, plugin in config[section].items():
            if name in built_in:
                yield f"{section}.{name}: this name is taken; choose another"
            read = functools.partial(signature, plugin["function"], kind)
            yield from _plugin_problems(f"{section}.{name}", plugin, read)


def merge_problems(config: Config, grid: Mapping[str, Any]) -> Iterator[str]:
    """Each variant of a grid's methods that its module refuses; the keys are those of the grid.

    What is wrong with a method as it is configured is said by `method_problems`.
    """
    for name in grid["methods"]:
        method = config["methods"].get(name)
        settings = _settings_type(method) if method else None
        if settings is None:
            continue
        for variant in variants(grid["vary"], method["settings"]):
            try:
                options: Any = parse(settings, varied(method["settings"], dict(variant)), "vary")
            except UserError as error:
                yield str(error)
                continue
            if method["kind"] == "adapt":
                yield from _refusals(name, options, grid)


def export_problem(method: Mapping[str, Any], rank: int | None) -> str | None:
    """Why the merges of a method cannot leave as an adapter of that rank; None where they can."""
    try:
        returns = method_signature(method).returns
    except UserError:
        return None
    if method["kind"] == "adapt" and returns and "Merged" not in returns:
        return (
            f"method: {method['function']} returns {' or '.join(sorted(returns))}; only a weighted "
            "sum of adapters, which a method returns as Merged, can be exported"
        )
    if method["kind"] == "merge" and "Tensor" in returns and rank is None:
        return f"rank: null: {method['function']} gives dense deltas without exact factors; set it"
    return None


def _plugin_problems(
    where: str, plugin: Mapping[str, Any], read: Callable[[], Signature]
) -> Iterator[str]:
    try:
        settings = read().settings
    except UserError as error:
        yield f"{where}.function: {error}"
        return
    try:
        if settings is not None:
            parse(settings, plugin["settings"], f"{where}.settings")
    except UserError as error:
        yield str(error)


def _settings_type(method: Mapping[str, Any]) -> type | None:
    try:
        return method_signature(method).settings
    except UserError:
        return None


def _refusals(name: str, options: Any, grid: Mapping[str, Any]) -> Iterator[str]:
    """What the settings' own `check_merge`, where they have one, says of the merges of a grid."""
    check = getattr(options, "check_merge", None)
    if check is None:
        return
    for k, target in itertools.product(grid["k"], grid["target"]):
        try:
            check(k=k, target=target == "with")
        except (UserError, ValueError) as error:
            yield f"target: {name} with k = {k}, {target} the target LoRA: {error}"
