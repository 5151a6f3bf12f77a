"""Definitions of a module, made from its source without the rest of it.

A method's module imports torch, which takes seconds; its settings need a few lines of it. Of a
file, `Source` executes only the definitions that a name needs. Imports of this library are followed
in the same way; a name from any other package is imported for real.
"""

import ast
import copy
import functools
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from recycling.plugins import SCRIPTS


class Source:
    """The top-level definitions of one file, each executed when it is first needed."""

    def __init__(self, path: Path) -> None:
        """SyntaxError where the file is not Python."""
        self.path = path
        self.definitions: dict[str, ast.stmt] = {
            name: node
            for node in ast.parse(path.read_bytes(), str(path)).body
            for name in _defined(node)
        }
        # Dataclasses look their module up by name.
        self._module = ModuleType(f"{__name__}:{path}")
        sys.modules[self._module.__name__] = self._module
        self._pending: set[str] = set()

    def get(self, name: str) -> Any:
        """The object of that name. KeyError where the file does not define it."""
        if name not in vars(self._module):
            self._execute(name, self.definitions[name])
        return vars(self._module)[name]

    def function(self, name: str, given: Collection[str]) -> Callable[..., Any] | None:
        """A function with its parameters alone: no body, and no types of the first and of `given`.

        None where the name is not that of a function which this file defines.
        """
        node = self.definitions.get(name)
        if not isinstance(node, ast.FunctionDef):
            return None
        (bare,) = ast.parse(f"def {name}(): pass").body
        assert isinstance(bare, ast.FunctionDef)
        bare.args = copy.deepcopy(node.args)
        first = [*bare.args.posonlyargs, *bare.args.args][:1]
        for argument in ast.walk(bare.args):
            if isinstance(argument, ast.arg) and (argument in first or argument.arg in given):
                argument.annotation = None
        self._execute(name, bare)
        function: Callable[..., Any] = vars(self._module).pop(name)
        return function

    def parameters(self, name: str) -> set[str]:
        """The names of a function's parameters."""
        node = self.definitions.get(name)
        if not isinstance(node, ast.FunctionDef):
            return set()
        return {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}

    def returned(self, name: str) -> set[str]:
        """The names in the return type of a function; none where it does not state one."""
        node = self.definitions.get(name)
        if not isinstance(node, ast.FunctionDef) or node.returns is None:
            return set()
        return set(_names(ast.arg("returned", node.returns)))  # as an annotation it may be quoted

    def _execute(self, name: str, node: ast.stmt) -> None:
        namespace = vars(self._module)
        if isinstance(node, ast.ImportFrom) and (other := _library_file(node)):
            originals = {alias.asname or alias.name: alias.name for alias in node.names}
            if originals[name] in source(other).definitions:
                namespace[name] = source(other).get(originals[name])
                return
        self._pending.add(name)
        for needed in _names(node):
            if needed in self.definitions and needed not in {*namespace, *self._pending}:
                self._execute(needed, self.definitions[needed])
        self._pending.remove(name)
        exec(compile(ast.Module([node], []), str(self.path), "exec", dont_inherit=True), namespace)


@functools.cache
def source(path: Path) -> Source:
    """The source of a file, read once."""
    return Source(path)


def _defined(node: ast.stmt) -> Iterator[str]:
    """The names that a top-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def _names(node: ast.AST) -> Iterator[str]:
    """The names that a statement reads, those in quoted annotations included."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        quoted = getattr(part, "annotation", None)
        if isinstance(quoted, ast.Constant) and isinstance(quoted.value, str):
            yield from _names(ast.parse(quoted.value, mode="eval"))


def _library_file(node: ast.ImportFrom) -> Path | None:
    """The file of this library that a statement imports from, unless it is loaded anyway."""
    if node.level or node.module is None or node.module in sys.modules:
        return None
    file = SCRIPTS.joinpath(*node.module.split(".")).with_suffix(".py")
    return file if file.is_file() else None
