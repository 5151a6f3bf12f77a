"""Files of a candidate, verified: from the Hub, or from a folder of adapters."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from recycling.hub.candidates import Candidate, File
from recycling.hub.reasons import Garbled, Outage, Reject

if TYPE_CHECKING:
    from recycling.hub.client import Client

DOWNLOADS = 3
CHUNK = 1 << 20


class Files(Protocol):
    """Where a candidate's files come from."""

    def whole(self, candidate: Candidate, file: File) -> bytes:
        """A small file, verified."""

    def span(self, candidate: Candidate, file: File, start: int, stop: int) -> bytes:
        """Bytes start..stop, not verified."""

    def download(self, candidate: Candidate, file: File, target: Path) -> None:
        """Put a large file at `target`, verified."""


class HubFiles:
    """Files by commit from a Hub."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def whole(self, candidate: Candidate, file: File) -> bytes:
        size = file.size or 0
        found: list[bytes] = []

        def attempt() -> str:
            found[:] = [self.span(candidate, file, 0, size)]
            return digest_of(found[0], file)

        verified(candidate, file, attempt)
        return found[0]

    def span(self, candidate: Candidate, file: File, start: int, stop: int) -> bytes:
        def read() -> bytes:
            content = self._client.read(candidate.repo_id, candidate.sha, file.path, start, stop)
            if len(content) < stop - start:
                raise Garbled(f"{len(content)} bytes instead of {stop - start}")
            return content

        return self._client.ask(f"{candidate.repo_id} {file.path}", read)

    def download(self, candidate: Candidate, file: File, target: Path) -> None:
        """Download with resumption: a part that is there already is kept and continued."""
        target.parent.mkdir(parents=True, exist_ok=True)
        what = f"{candidate.repo_id} {file.path}"

        def attempt() -> str:
            self._client.ask(what, lambda: self._continue(candidate, file, target))
            digest = digest_of_file(target, file)
            if digest != file.digest:
                target.unlink()
            return digest

        verified(candidate, file, attempt)

    def _continue(self, candidate: Candidate, file: File, target: Path) -> None:
        size = file.size or 0
        have = target.stat().st_size if target.exists() else 0
        if have > size:
            target.unlink()
            have = 0
        if have < size:
            with (
                open(target, "ab") as out,
                self._client.stream(
                    candidate.repo_id, candidate.sha, file.path, have, size
                ) as pieces,
            ):
                for piece in pieces:
                    out.write(piece[: size - have])
                    have += len(piece)
        if have < size:
            raise Garbled(f"{have} bytes instead of {size}")


class LocalFiles:
    """Files of PEFT adapters on this machine: ROOT/<name>/<file>."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def _path(self, candidate: Candidate, file: File) -> Path:
        return self._root / candidate.repo_id.split("/", 1)[1] / file.path

    def whole(self, candidate: Candidate, file: File) -> bytes:
        content = self.span(candidate, file, 0, file.size or 0)
        self._unchanged(candidate, file, digest_of(content, file))
        return content

    def span(self, candidate: Candidate, file: File, start: int, stop: int) -> bytes:
        try:
            with open(self._path(candidate, file), "rb") as source:
                source.seek(start)
                return source.read(stop - start)
        except OSError as error:
            raise Outage(f"{self._path(candidate, file)}: {error.strerror}") from None

    def download(self, candidate: Candidate, file: File, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._path(candidate, file), target)
        self._unchanged(candidate, file, digest_of_file(target, file))

    def _unchanged(self, candidate: Candidate, file: File, digest: str) -> None:
        if digest != file.digest:
            raise Outage(
                f"{self._path(candidate, file)}: changed since the list was frozen; "
                "make candidates.tsv anew"
            )


def verified(candidate: Candidate, file: File, attempt: Callable[[], str]) -> None:
    """Repeat `attempt`, which returns the digest it got, until that is the listed one.

    The same wrong bytes every time are the Hub's own: Reject. Changing ones are the network's:
    Outage.
    """
    seen = []
    for _ in range(DOWNLOADS):
        seen.append(attempt())
        if seen[-1] == file.digest:
            return
    detail = f"{file.path}: listed as {file.digest}, received as {seen[-1]}, {DOWNLOADS} times"
    if len(set(seen)) == 1:
        raise Reject("hash_mismatch", detail)
    raise Outage(f"{candidate.repo_id} {detail}; the line damages files, run again to go on")


def digest_of(content: bytes, file: File) -> str:
    """The digest of bytes, of the kind that the listing gives for this file."""
    kind, hasher = _hasher(file, len(content))
    hasher.update(content)
    return f"{kind}:{hasher.hexdigest()}"


def digest_of_file(path: Path, file: File) -> str:
    """The digest of a file's bytes, of the kind that the listing gives for this file."""
    kind, hasher = _hasher(file, path.stat().st_size)
    with open(path, "rb") as source:
        while piece := source.read(CHUNK):
            hasher.update(piece)
    return f"{kind}:{hasher.hexdigest()}"


def _hasher(file: File, size: int) -> tuple[str, "hashlib._Hash"]:
    kind = file.digest.partition(":")[0]
    if kind == "git":
        return kind, hashlib.sha1(b"blob %d\0" % size)
    return "sha256", hashlib.sha256()
