"""Verified files of a candidate, from the Hub or from a local folder of adapters."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from recycling.hub.candidates import Candidate, File
from recycling.hub.reasons import InvalidResponse, Outage, Reject

if TYPE_CHECKING:
    from recycling.hub.client import Client

MAX_DOWNLOADS = 3
CHUNK = 1 << 20


class Files(Protocol):
    """A source of candidates' files."""

    def read(self, candidate: Candidate, file: File) -> bytes:
        """The content of a small file, verified."""

    def read_range(self, candidate: Candidate, file: File, start: int, stop: int) -> bytes:
        """Bytes start..stop of a file, not verified."""

    def download(self, candidate: Candidate, file: File, target: Path) -> None:
        """Write a large file to `target`, verified."""


class HubFiles:
    """Files from a Hub, each at its candidate's commit."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def read(self, candidate: Candidate, file: File) -> bytes:
        size = file.size or 0
        content = b""

        def attempt() -> str:
            nonlocal content
            content = self.read_range(candidate, file, 0, size)
            return digest_of(content, file)

        retry_until_verified(candidate, file, attempt)
        return content

    def read_range(self, candidate: Candidate, file: File, start: int, stop: int) -> bytes:
        def read() -> bytes:
            content = self._client.read(candidate.repo_id, candidate.sha, file.path, start, stop)
            if len(content) < stop - start:
                raise InvalidResponse(f"{len(content)} bytes instead of {stop - start}")
            return content

        return self._client.retry(f"{candidate.repo_id} {file.path}", read)

    def download(self, candidate: Candidate, file: File, target: Path) -> None:
        """Download a file; a partial file at `target` is continued."""
        target.parent.mkdir(parents=True, exist_ok=True)
        subject = f"{candidate.repo_id} {file.path}"

        def attempt() -> str:
            self._client.retry(subject, lambda: self._continue(candidate, file, target))
            digest = digest_of_file(target, file)
            if digest != file.digest:
                target.unlink()
            return digest

        retry_until_verified(candidate, file, attempt)

    def _continue(self, candidate: Candidate, file: File, target: Path) -> None:
        size = file.size or 0
        written = target.stat().st_size if target.exists() else 0
        if written > size:
            target.unlink()
            written = 0
        if written < size:
            with (
                open(target, "ab") as out,
                self._client.stream(
                    candidate.repo_id, candidate.sha, file.path, written, size
                ) as chunks,
            ):
                for chunk in chunks:
                    out.write(chunk[: size - written])
                    written += len(chunk)
        if written < size:
            raise InvalidResponse(f"{written} bytes instead of {size}")


class LocalFiles:
    """Files of PEFT adapters on this machine: ROOT/<name>/<file>."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def _path(self, candidate: Candidate, file: File) -> Path:
        return self._root / candidate.repo_id.split("/", 1)[1] / file.path

    def read(self, candidate: Candidate, file: File) -> bytes:
        content = self.read_range(candidate, file, 0, file.size or 0)
        self._check_unchanged(candidate, file, digest_of(content, file))
        return content

    def read_range(self, candidate: Candidate, file: File, start: int, stop: int) -> bytes:
        try:
            with open(self._path(candidate, file), "rb") as source:
                source.seek(start)
                return source.read(stop - start)
        except OSError as error:
            raise Outage(f"{self._path(candidate, file)}: {error.strerror}") from None

    def download(self, candidate: Candidate, file: File, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._path(candidate, file), target)
        self._check_unchanged(candidate, file, digest_of_file(target, file))

    def _check_unchanged(self, candidate: Candidate, file: File, digest: str) -> None:
        if digest != file.digest:
            raise Outage(
                f"{self._path(candidate, file)}: changed since candidates.tsv was written; "
                "run again with --forcerun candidates"
            )


def retry_until_verified(candidate: Candidate, file: File, attempt: Callable[[], str]) -> None:
    """Repeat `attempt`, which returns the digest of what it received, until it is the listed one.

    Raises Reject if every attempt received the same wrong bytes (the Hub's fault), Outage if they
    differed (the network's fault).
    """
    digests = []
    for _ in range(MAX_DOWNLOADS):
        digests.append(attempt())
        if digests[-1] == file.digest:
            return
    detail = (
        f"{file.path}: listed as {file.digest}, received as {digests[-1]}, {MAX_DOWNLOADS} times"
    )
    if len(set(digests)) == 1:
        raise Reject("hash_mismatch", detail)
    raise Outage(f"{candidate.repo_id} {detail}; the network corrupts files, run again to continue")


def digest_of(content: bytes, file: File) -> str:
    """The digest of `content`, of the kind that the listing has for `file`."""
    kind, hasher = _hasher(file, len(content))
    hasher.update(content)
    return f"{kind}:{hasher.hexdigest()}"


def digest_of_file(path: Path, file: File) -> str:
    """The digest of the file at `path`, of the kind that the listing has for `file`."""
    kind, hasher = _hasher(file, path.stat().st_size)
    with open(path, "rb") as source:
        while chunk := source.read(CHUNK):
            hasher.update(chunk)
    return f"{kind}:{hasher.hexdigest()}"


def _hasher(file: File, size: int) -> tuple[str, "hashlib._Hash"]:
    kind = file.digest.partition(":")[0]
    if kind == "git":
        return kind, hashlib.sha1(b"blob %d\0" % size)
    return "sha256", hashlib.sha256()
