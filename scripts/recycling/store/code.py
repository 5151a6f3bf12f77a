"""A hash of the source that a script runs: what changes it is what changes behaviour."""

import ast
import functools
import hashlib
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]


def code_hash(*entries: str | Path, root: Path = SCRIPTS) -> str:
    """16 hex digits over the syntax trees of `entries` and of all local modules they import.

    entries: files, relative to `root` or absolute. Comments, formatting and docstrings do not
    count. Only static imports are followed: a module that is loaded by name is an entry of its own.
    """
    root = root.resolve()
    digest = hashlib.sha256()
    for path in sorted(closure(*entries, root=root)):
        digest.update(f"{path.relative_to(root).as_posix()}\n{_syntax(path)[0]}\n".encode())
    return digest.hexdigest()[:16]


def closure(*entries: str | Path, root: Path = SCRIPTS) -> set[Path]:
    """The entries and every local file that they import, directly or not."""
    found: set[Path] = set()
    queue = [(root / entry).resolve() for entry in entries]
    while queue:
        path = queue.pop()
        if path in found:
            continue
        found.add(path)
        for name in _syntax(path)[1]:
            queue.extend(_files_of(name, root.resolve()))
    return found


@functools.cache
def _syntax(path: Path) -> tuple[str, tuple[str, ...]]:
    """The dumped syntax tree without docstrings, and the dotted names that it imports."""
    tree = ast.parse(path.read_bytes(), str(path))
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise SyntaxError(f"{path}:{node.lineno}: use absolute imports")
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = node.body[_has_docstring(node) :]
    return ast.dump(tree), tuple(names)


def _has_docstring(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    first = node.body[0] if node.body else None
    return int(
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


@functools.cache
def _files_of(name: str, root: Path) -> list[Path]:
    """The local files that `import name` runs: each package on the way, then the module.

    `from package import attribute` arrives as `package.attribute`: then only the package exists.
    """
    files = []
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        stem = root.joinpath(*parts[:length])
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            if path.is_file():
                files.append(path)
    return files
