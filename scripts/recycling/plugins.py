"""Modules that a configuration names: merging methods, selections, controls.

A name is that of a file of the matching package ("ties"), a dotted module ("my_package.mine"), or
the path of a Python file ("methods/mine.py"). Modules and paths are relative to the working
directory; modules may also be installed.
"""

import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from recycling.errors import UserError, did_you_mean
from recycling.settings import keywords, parse

SCRIPTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Kind:
    """What modules of a kind have in common.

    package: where bare names are looked up. function: what the module must define. given: the
    parameters, besides the first, that the caller passes by name where the function has them; the
    others are settings.
    """

    package: str
    function: str
    given: tuple[str, ...] = ()


MERGE = Kind("recycling.merge", "merge", ("seed",))
ADAPT = Kind("recycling.adapt", "tune")
SELECTION = Kind("recycling.select", "select", ("adapters", "scores", "target", "seed"))
CONTROL = Kind("recycling.lora", "transform", ("target", "seed"))


def locate(name: str, package: str) -> Path:
    """The source of a module, which is not imported. Raises UserError if there is none."""
    if name.endswith(".py"):
        if Path(name).is_file():
            return Path(name).resolve()
        raise UserError(f"no file {name} (paths are relative to {os.getcwd()})")
    path = _source(_dotted(name, package))
    if path is not None:
        return path
    if "." in name:
        raise UserError(f"no module {name} is installed or lies below {os.getcwd()}")
    folder = SCRIPTS.joinpath(*package.split("."))
    hint = did_you_mean(name, (file.stem for file in folder.glob("[a-z]*.py")))
    raise UserError(f"no file {folder / name}.py{hint}")


def load(name: str, package: str) -> ModuleType:
    """The module of that name, imported once in a process. Raises UserError if there is none."""
    path = locate(name, package)
    _search_working_directory()
    try:
        if name.endswith(".py"):
            return load_file(path)
        return importlib.import_module(_dotted(name, package))
    except ModuleNotFoundError as error:
        raise UserError(f"{name}: {path} cannot be imported: {error}") from None


def load_file(path: str | Path) -> ModuleType:
    """The module in a Python file, imported once in a process under a name of its own."""
    path = Path(path).resolve()
    name = f"{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and pickles look their module up by name
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def load_function(name: str, kind: Kind) -> Callable[..., Any]:
    """The function of a module of a kind. Raises UserError if module or function is missing."""
    module = load(name, kind.package)
    function = getattr(module, kind.function, None)
    if not callable(function):
        raise UserError(f"{name}: {module.__file__} has no function {kind.function!r}")
    return function


def call(
    plugin: Mapping[str, Any],
    kind: Kind,
    subject: Any,
    available: Mapping[str, Callable[[], Any]],
    where: str,
) -> Any:
    """What the function of a plug-in returns for `subject`, its first argument.

    plugin: {function, settings}. available: makes, by name, what `kind.given` lists; it is made
    where the function takes it. where: the plug-in's place in the config, for messages.
    """
    function = load_function(plugin["function"], kind)
    settings: Any = parse(keywords(function, kind.given), plugin["settings"], f"{where}.settings")
    takes = inspect.signature(function).parameters
    given = {name: make() for name, make in available.items() if name in takes}
    return function(subject, **given, **vars(settings))


def _dotted(name: str, package: str) -> str:
    return name if "." in name else f"{package}.{name}"


def _source(module: str) -> Path | None:
    """The file of a dotted module, found without importing its parents."""
    _search_working_directory()
    importlib.invalidate_caches()
    first, *rest = module.split(".")
    spec = importlib.util.find_spec(first)
    for part in rest:
        folders = spec.submodule_search_locations if spec else None
        spec = PathFinder.find_spec(part, list(folders)) if folders else None
    return Path(spec.origin) if spec and spec.has_location and spec.origin else None


def _search_working_directory() -> None:
    """Dotted modules below the working directory are found last, after installed ones."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
