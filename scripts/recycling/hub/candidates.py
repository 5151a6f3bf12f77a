"""Candidates: repositories as the Hub listed them, frozen as the rows of candidates.tsv."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from recycling.errors import UserError
from recycling.files import canonical_json, read_tsv, write_tsv
from recycling.hub.reasons import plain

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
# A hostile repository can have any number of files and tags; the adapter's own files come first.
MAX_FILES = 60
MAX_TAGS = 60
MAX_LICENCES = 5
NAME = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9_]([\w.\-]{0,94}[\w])?", re.ASCII)
SHA = re.compile(r"[0-9a-f]{40}")
LOCAL = "local"  # the owner of adapters from a folder


@dataclass(frozen=True)
class File:
    """One file of a commit. digest: `sha256:<hex>` (LFS), `git:<hex>` (Git blob id) or empty."""

    path: str
    size: int | None = None
    digest: str = ""


@dataclass(frozen=True)
class Candidate:
    """One repository at one commit.

    state: `listed`, or the reason why the Hub did not describe it (gone, gated, disabled).
    found: the base or alias whose tag it carries, or the source (`repos`, `folder`). n_files:
    number of all files. files: the adapter's own files, then others up to MAX_FILES.
    """

    repo_id: str
    sha: str
    author: str = ""
    licence: str = ""
    downloads: int = 0
    created: str = ""
    modified: str = ""
    gated: str = ""
    private: bool = False
    state: str = "listed"
    found: str = ""
    n_files: int = 0
    tags: tuple[str, ...] = ()
    files: tuple[File, ...] = ()

    def file(self, path: str) -> File | None:
        """The file with exactly this path, None if the commit does not have it."""
        return next((file for file in self.files if file.path == path), None)

    @property
    def safe_name(self) -> bool:
        """Whether the Hub allows this name, so that it is safe in a path and a URL.

        The folder of a local adapter may also contain `--`, as exported adapters often do.
        """
        owner, _, name = self.repo_id.partition("/")
        if owner == LOCAL:
            name = name.replace("--", "-")
        parts = bool(NAME.fullmatch(owner) and NAME.fullmatch(name))
        return parts and len(self.repo_id) <= 96 and not name.endswith(".git")

    @property
    def safe(self) -> bool:
        """Whether name and commit sha are well-formed."""
        return self.safe_name and bool(SHA.fullmatch(self.sha))

    @property
    def folder(self) -> str:
        """The folder name of a kept adapter; unique, because safe names on the Hub have no `--`."""
        return self.repo_id.replace("/", "--")


COLUMNS = [field.name for field in fields(Candidate)]


def first_files(files: Iterable[File]) -> tuple[File, ...]:
    """At most MAX_FILES files: the adapter's own first, then other weights, then the rest."""

    def order(file: File) -> tuple[bool, bool, bool, str]:
        own = file.path in (CONFIG, WEIGHTS)
        top = "/" not in file.path and file.path.startswith("adapter_")
        return not own, not top, "adapter_" not in file.path, file.path

    kept = sorted((file for file in files if len(file.path) <= 300), key=order)[:MAX_FILES]
    return tuple(File(plain(file.path), file.size, file.digest) for file in kept)


def licence_of(tags: Sequence[str]) -> str:
    """The licences among a repository's tags, joined by commas; empty if there are none."""
    prefix = "license:"
    licences = {plain(tag[len(prefix) :], 80) for tag in tags if tag.startswith(prefix)}
    return ",".join(sorted(licences)[:MAX_LICENCES])


def write_candidates(path: str | Path, candidates: Iterable[Candidate]) -> None:
    """Write candidates.tsv, sorted by repository; lists as JSON."""
    write_tsv(path, COLUMNS, (_row(c) for c in sorted(candidates, key=lambda c: c.repo_id)))


def read_candidates(path: str | Path) -> list[Candidate]:
    """Read a file of `write_candidates`. Raises UserError naming the file and the invalid row."""
    candidates = []
    for number, row in enumerate(read_tsv(path), start=2):
        try:
            candidates.append(_candidate(row))
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(
                f"{path}: row {number} is not a valid candidate ({error!r}); "
                "correct the row or create the file again"
            ) from None
    repeated = len(candidates) - len({candidate.repo_id for candidate in candidates})
    if repeated:
        raise UserError(
            f"{path}: {repeated} repositories are listed more than once; keep one row each"
        )
    return candidates


def _row(candidate: Candidate) -> dict[str, Any]:
    row = asdict(candidate)
    row["tags"] = canonical_json(candidate.tags)
    row["files"] = canonical_json([[f.path, f.size, f.digest] for f in candidate.files])
    row["private"] = "true" if candidate.private else "false"
    return row


def _candidate(row: dict[str, str]) -> Candidate:
    files = tuple(File(str(p), size, str(d)) for p, size, d in json.loads(row["files"]))
    return Candidate(
        **{
            **row,
            "downloads": int(row["downloads"]),
            "n_files": int(row["n_files"]),
            "private": {"true": True, "false": False}[row["private"]],
            "tags": tuple(json.loads(row["tags"])),
            "files": files,
        }  # type: ignore[arg-type]
    )
