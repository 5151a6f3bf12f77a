"""A candidate as the Hub listed it, frozen: the rows of candidates.tsv."""

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
# Hostile repositories may hold any number of files and tags; the adapter's own come first.
MOST_FILES = 60
MOST_TAGS = 60
MOST_LICENCES = 5
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

    state: `listed`, or the reason why the Hub would not describe it (gone, gated, disabled).
    found: the base or alias under whose tag it was found, or the source. n_files counts all
    files; `files` holds the adapter's own and the first others.
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
        """The file of that exact path in the top folder, if the commit has it."""
        return next((file for file in self.files if file.path == path), None)

    @property
    def safe_name(self) -> bool:
        """Whether the name is one that the Hub allows, which can be part of a path and a URL.

        The folder of a local adapter may also have `--` in its name, as exported ones often do.
        """
        owner, _, name = self.repo_id.partition("/")
        if owner == LOCAL:
            name = name.replace("--", "-")
        parts = bool(NAME.fullmatch(owner) and NAME.fullmatch(name))
        return parts and len(self.repo_id) <= 96 and not name.endswith(".git")

    @property
    def safe(self) -> bool:
        """Whether name and commit are well-formed."""
        return self.safe_name and bool(SHA.fullmatch(self.sha))

    @property
    def folder(self) -> str:
        """The folder of a kept adapter; unique, as no safe owner or name of the Hub has `--`."""
        return self.repo_id.replace("/", "--")


COLUMNS = [field.name for field in fields(Candidate)]


def own_files(files: Iterable[File]) -> tuple[File, ...]:
    """The files worth remembering: an adapter's at the top, then other weights, then the rest."""

    def order(file: File) -> tuple[bool, bool, bool, str]:
        own = file.path in (CONFIG, WEIGHTS)
        top = "/" not in file.path and file.path.startswith("adapter_")
        return not own, not top, "adapter_" not in file.path, file.path

    kept = sorted((file for file in files if len(file.path) <= 300), key=order)[:MOST_FILES]
    return tuple(File(plain(file.path), file.size, file.digest) for file in kept)


def licence_of(tags: Sequence[str]) -> str:
    """The licences that the Hub read from the card, joined by commas; empty where none is given."""
    prefix = "license:"
    found = {plain(tag[len(prefix) :], 80) for tag in tags if tag.startswith(prefix)}
    return ",".join(sorted(found)[:MOST_LICENCES])


def write_candidates(path: str | Path, candidates: Iterable[Candidate]) -> None:
    """Write candidates.tsv, sorted by repository; lists as JSON."""
    write_tsv(path, COLUMNS, (_row(c) for c in sorted(candidates, key=lambda c: c.repo_id)))


def read_candidates(path: str | Path) -> list[Candidate]:
    """Read what `write_candidates` wrote. UserError naming the file and row that is not one."""
    candidates = []
    for number, row in enumerate(read_tsv(path), start=2):
        try:
            candidates.append(_candidate(row))
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(
                f"{path}: row {number} is no candidate ({error!r}); "
                "freeze the list again or mend the row"
            ) from None
    repeated = len(candidates) - len({candidate.repo_id for candidate in candidates})
    if repeated:
        raise UserError(f"{path}: {repeated} repositories are listed twice; keep one row each")
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
