"""Examines single candidates: each fact about their files is requested once and stored."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recycling.files import canonical_json, sha256_file
from recycling.hub.adapter_config import LoraConfig, parse_config
from recycling.hub.candidates import CONFIG, WEIGHTS, Candidate, File
from recycling.hub.evidence import Evidence
from recycling.hub.fetch import Files, digest_of, digest_of_file
from recycling.hub.manifest import Row, adapter_facts
from recycling.hub.reasons import Outage, Reject
from recycling.hub.safetensors_header import Pair, pairs_of, parse_header, read_header
from recycling.hub.settings import Screening
from recycling.hub.weights import MEASUREMENT_VERSION, Measurement, measure, screen_weights

MAX_HEADER_READS = 3


@dataclass(frozen=True)
class Accepted:
    """A candidate that passed the screening, its total norm and the hash of its weights."""

    candidate: Candidate
    norm: float
    content: str


@dataclass
class Examiner:
    """Examines candidates, from the stored evidence or, where that has none, from their files.

    folder: pool/. base: (out, in) of the base's modules. names: the base and its aliases. Every
    method raises Reject for a rejected candidate and Outage where there is no verdict. The methods
    may be called from several threads, for different candidates.
    """

    files: Files
    evidence: Evidence
    folder: Path
    base: Mapping[str, tuple[int, int]]
    names: frozenset[str]
    settings: Screening

    def __post_init__(self) -> None:
        self._facts: dict[str, Row] = {}
        self._installed: set[str] = set()  # by this run: complete without a check

    def facts(self, candidate: Candidate) -> Row:
        """The columns of a candidate's row that are known so far, beyond its listing."""
        return self._facts.get(candidate.repo_id, {})

    def screen_header(self, candidate: Candidate) -> Candidate:
        """Second pass: config and header."""
        config = self._config(candidate)
        header = self._stored(candidate, "header", lambda: self._read_header(candidate, config))
        pairs = self._pairs(candidate, header, config)
        self._facts[candidate.repo_id] = adapter_facts(config, pairs)
        return candidate

    def measure(self, group: Sequence[Candidate]) -> None:
        """Third pass, the download, for candidates that list the same weights file.

        The file comes from the first of them that can deliver it.
        """
        for candidate in group:
            if self.evidence.get(_measurement_key(candidate)) is not None:
                return
            try:
                self._stored(candidate, "download", partial(self._download, candidate))
            except Reject:
                continue

    def screen_weights(self, candidate: Candidate) -> Accepted:
        """Third pass, the verdict on the measured weights. `measure` comes first."""
        self._lookup(f"{_key(candidate)}#download")
        content = self._lookup(_measurement_key(candidate))
        assert content is not None, "measure() comes first"
        measurement = Measurement(**json.loads(content))
        norm = screen_weights(measurement, self._config(candidate), self.settings)
        self._facts[candidate.repo_id]["norm"] = f"{norm:.6g}"
        return Accepted(candidate, norm, measurement.content)

    def install(self, accepted: Accepted) -> Row:
        """Ensure that an adapter's files are in its folder and intact; download them if not."""
        candidate = accepted.candidate
        folder = self._adapter_folder(candidate)
        if candidate.repo_id not in self._installed and not self._is_intact(candidate, folder):
            shutil.rmtree(folder, ignore_errors=True)
            self._move_into_pool(candidate, self._fetch(candidate))
        digest = _weights(candidate).digest
        sha256 = digest.removeprefix("sha256:")
        return {
            "sha256": sha256 if sha256 != digest else sha256_file(folder / WEIGHTS),
            "folder": f"adapters/{candidate.folder}",
        }

    def remove_unused(self, kept: Iterable[str]) -> None:
        """Remove all adapters except the kept folders, and incomplete downloads."""
        names = {Path(folder).name for folder in kept}
        for folder in sorted((self.folder / "adapters").glob("*")):
            if folder.name not in names:
                shutil.rmtree(folder)
        shutil.rmtree(self.folder / ".partial", ignore_errors=True)

    def _config(self, candidate: Candidate) -> LoraConfig:
        return parse_config(self._config_text(candidate), self.names, self.settings)

    def _config_text(self, candidate: Candidate) -> bytes:
        file = _file(candidate, CONFIG)
        return self._stored(candidate, CONFIG, lambda: self.files.read(candidate, file))

    def _pairs(self, candidate: Candidate, header: bytes, config: LoraConfig) -> dict[str, Pair]:
        return pairs_of(parse_header(header, _weights(candidate).size or 0), self.base, config)

    def _read_header(self, candidate: Candidate, config: LoraConfig) -> bytes:
        """Read a header. It has no hash, so a rejection needs the same bytes twice."""
        weights = _weights(candidate)
        rejected: list[bytes] = []
        for _ in range(MAX_HEADER_READS):
            header = read_header(
                lambda start, stop: self.files.read_range(candidate, weights, start, stop),
                weights.size or 0,
                self.settings.header_bytes,
            )
            if header in rejected:
                return header
            try:
                self._pairs(candidate, header, config)
            except Reject:
                rejected.append(header)
            else:
                return header
        raise Outage(
            f"{candidate.repo_id}: {MAX_HEADER_READS} reads of its header differ; run again"
        )

    def _download(self, candidate: Candidate) -> bytes:
        """Download and measure the weights; move them into the pool, or remove rejected ones."""
        download = self._fetch(candidate)
        try:
            content = self._stored_under(_measurement_key(candidate), lambda: _measure(download))
            measurement = Measurement(**json.loads(content))
            screen_weights(measurement, self._config(candidate), self.settings)
        except Reject:
            shutil.rmtree(download)
        else:
            self._move_into_pool(candidate, download)
        return b""

    def _fetch(self, candidate: Candidate) -> Path:
        """Download a candidate's weights and config, verified, into a temporary folder."""
        download = self.folder / ".partial" / candidate.folder
        self.files.download(candidate, _weights(candidate), download / WEIGHTS)
        (download / CONFIG).write_bytes(self._config_text(candidate))
        return download

    def _move_into_pool(self, candidate: Candidate, download: Path) -> None:
        folder = self._adapter_folder(candidate)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        os.replace(download, folder)
        self._installed.add(candidate.repo_id)

    def _is_intact(self, candidate: Candidate, folder: Path) -> bool:
        config, weights = _file(candidate, CONFIG), _weights(candidate)
        try:
            return (
                digest_of((folder / CONFIG).read_bytes(), config) == config.digest
                and digest_of_file(folder / WEIGHTS, weights) == weights.digest
            )
        except OSError:
            return False

    def _adapter_folder(self, candidate: Candidate) -> Path:
        return self.folder / "adapters" / candidate.folder

    def _stored(self, candidate: Candidate, name: str, request: Callable[[], bytes]) -> bytes:
        return self._stored_under(f"{_key(candidate)}#{name}", request)

    def _stored_under(self, key: str, request: Callable[[], bytes]) -> bytes:
        """The evidence stored under a key. If there is none, store what `request` returns.

        A Reject is stored as well, and raised again on the next call.
        """
        content = self._lookup(key)
        if content is not None:
            return content
        try:
            return self.evidence.put(key, b"+" + request())[1:]
        except Reject as reject:
            rejection = canonical_json([reject.reason, reject.detail])
            self.evidence.put(key, b"-" + rejection.encode())
            raise

    def _lookup(self, key: str) -> bytes | None:
        entry = self.evidence.get(key)
        if entry is not None and entry[:1] == b"-":
            raise Reject(*json.loads(entry[1:]))
        return entry and entry[1:]


def _measure(folder: Path) -> bytes:
    return canonical_json(measure(folder).facts()).encode()


def _key(candidate: Candidate) -> str:
    return f"{candidate.repo_id}@{candidate.sha}"


def _measurement_key(candidate: Candidate) -> str:
    return f"{_weights(candidate).digest}#{MEASUREMENT_VERSION}"


def _weights(candidate: Candidate) -> File:
    return _file(candidate, WEIGHTS)


def _file(candidate: Candidate, path: str) -> File:
    file = candidate.file(path)
    assert file is not None, "screen_listing rejects candidates without it"
    return file
