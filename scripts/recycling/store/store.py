"""A folder of finished results, each named by the hash of everything it depends on."""

import contextlib
import fcntl
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recycling.errors import Outdated, UserError
from recycling.files import canonical_json, read_json, sha256_file, sha256_text, write_json
from recycling.usage import spending

ENTRY = "entry.json"
DAY = 86_400.0  # seconds; no run takes as long


@dataclass(frozen=True)
class Recipe:
    """What a result is computed from; equal recipes name the same entry.

    function: the name of the computation. code: hash of its source (`store.code.code_hash`).
    settings: JSON values. inputs: a name -> content id (a sha256, a repo@sha, another entry's key).
    """

    function: str
    code: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Any]

    @property
    def key(self) -> str:
        """64 hex digits: SHA-256 over the canonical JSON of the recipe."""
        return sha256_text(canonical_json(self.as_dict()))

    def as_dict(self) -> dict[str, Any]:
        return {
            "function": self.function,
            "code": self.code,
            "settings": dict(self.settings),
            "inputs": dict(self.inputs),
        }


class Store:
    """Content-addressed results under `root/<2 hex>/<key>/`.

    An entry is written in a temporary folder of the same file system and renamed when it is
    whole, so a killed writer leaves no entry and racing writers leave one. Every read verifies
    the sha256 of each file; an entry that fails is moved to `root/broken/` and counts as absent.
    """

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def folder(self, key: str) -> Path:
        """Where the entry with this key lies or would lie."""
        return self.root / key[:2] / key

    def get(self, key: str) -> Path | None:
        """The entry's folder, verified; None where there is none, or only a broken one."""
        folder = self.folder(key)
        if not folder.is_dir():
            return None
        fault = _fault(folder, key)
        if fault is None:
            return folder
        self._set_aside(folder, fault)
        return None

    def require(self, key: str, what: str, named_in: str | Path) -> Path:
        """`get`; Outdated, as to the file `named_in` that names it, where that gives nothing."""
        folder = self.get(key)
        if folder is None:
            gone = f"{self.folder(key)}: {what} is gone from the store, or was damaged"
            raise Outdated(gone, named_in)
        return folder

    def compute(self, recipe: Recipe, make: Callable[[Path], None]) -> Path:
        """The entry of `recipe`; if absent, `make(folder)` fills a temporary folder first."""
        key = recipe.key
        found = self.get(key)
        if found is not None:
            return found
        self._sweep()
        temporary = self.root / "tmp" / f"{key[:16]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        temporary.mkdir(parents=True)
        try:
            with spending("working"):
                make(temporary)
            files = {
                path.relative_to(temporary).as_posix(): sha256_file(path)
                for path in sorted(temporary.rglob("*"))
                if path.is_file()
            }
            write_json(temporary / ENTRY, {"recipe": recipe.as_dict(), "files": files})
            return self._publish(temporary, key)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    @contextlib.contextmanager
    def partial(self, recipe: Recipe) -> Iterator[Path | None]:
        """A folder that outlives a kill, for what a long computation of `recipe` goes on from.

        It is the same folder the next time, and is removed when the block ends without an error.
        None where another process is at work in it.
        """
        folder = self.root / "partial" / recipe.key
        folder.mkdir(parents=True, exist_ok=True)
        path = folder.with_suffix(".lock")
        with open(path, "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = os.path.samestat(os.fstat(lock.fileno()), os.stat(path))
            except OSError:
                held = False
            yield folder if held else None
            if held:
                shutil.rmtree(folder, ignore_errors=True)
                path.unlink()

    def _publish(self, temporary: Path, key: str) -> Path:
        folder = self.folder(key)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.rename(folder)
        except OSError:
            # Another writer was first (a folder cannot be renamed over a full one): its entry
            # has the same recipe and serves as well, if it is whole.
            if self.get(key) is None:
                temporary.rename(folder)
        return folder

    def _set_aside(self, folder: Path, fault: str) -> None:
        aside = self.root / "broken" / f"{folder.name}-{uuid.uuid4().hex[:8]}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(aside)
        except FileNotFoundError:
            return  # another process set it aside first
        if _fault(aside, folder.name) is None:
            # Another process had set the broken entry aside and put a whole one in its place.
            with contextlib.suppress(OSError):
                aside.rename(folder)
            return
        print(f"store: {folder}: {fault}; moved to {aside}", file=sys.stderr)

    def _sweep(self) -> None:
        """Remove what killed jobs had begun and nobody will go on with."""
        for left in (*(self.root / "tmp").glob("*"), *(self.root / "partial").glob("*")):
            days = 1 if left.parent.name == "tmp" else 30
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > days * DAY:
                    if left.is_file():
                        left.unlink()
                    shutil.rmtree(left, ignore_errors=True)


def _fault(folder: Path, key: str) -> str | None:
    """What is wrong with an entry, or None."""
    try:
        entry = read_json(folder / ENTRY)
        files = entry["files"]
        if Recipe(**entry["recipe"]).key != key:
            return "its recipe does not have its key"
    except (UserError, KeyError, TypeError, AttributeError):
        return f"{ENTRY} is missing or unreadable"
    for name, sha256 in files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if sha256_file(path) != sha256:
            return f"{name} does not have the recorded sha256"
    return None
