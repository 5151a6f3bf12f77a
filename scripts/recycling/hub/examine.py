"""One candidate at a time: what its files say, asked once and remembered."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recycling.files import canonical_json, sha256_file
from recycling.hub.candidates import CONFIG, WEIGHTS, Candidate, File
from recycling.hub.config import LoraConfig, parse_config
from recycling.hub.evidence import Evidence
from recycling.hub.fetch import Files, digest_of, digest_of_file
from recycling.hub.header import Pair, pairs_of, parse_header, read_header
from recycling.hub.manifest import Row, adapter_facts
from recycling.hub.reasons import Outage, Reject
from recycling.hub.settings import Screening
from recycling.hub.weights import MEASURE, Measurement, measure, screen_weights

READINGS = 3


@dataclass(frozen=True)
class Judged:
    """A candidate that may stay: its total norm and the hash of its contents."""

    candidate: Candidate
    norm: float
    content: str


@dataclass
class Examiner:
    """Answers about candidates from the evidence, and where that has none, from their files.

    folder: pool/. base: (out, in) of the base's modules. names: the base and its aliases. Every
    method raises Reject for a verdict and Outage where nothing could be learned; the methods may
    be called from several threads, for different candidates.
    """

    files: Files
    evidence: Evidence
    folder: Path
    base: Mapping[str, tuple[int, int]]
    names: frozenset[str]
    settings: Screening

    def __post_init__(self) -> None:
        self._facts: dict[str, Row] = {}
        self._fresh: set[str] = set()

    def facts(self, candidate: Candidate) -> Row:
        """What the manifest may tell of a candidate beyond its listing, so far."""
        return self._facts.get(candidate.repo_id, {})

    def screened(self, candidate: Candidate) -> Candidate:
        """Pass two: config and header."""
        config = self._config(candidate)
        header = self._learn(candidate, "header", lambda: self._read_header(candidate, config))
        pairs = self._pairs(candidate, header, config)
        self._facts[candidate.repo_id] = adapter_facts(config, pairs)
        return candidate

    def measured(self, group: Sequence[Candidate]) -> None:
        """Pass three, the costly part, for candidates that list the same weights file.

        The file comes from the first of them that can deliver it.
        """
        for candidate in group:
            if self.evidence.get(_measure_key(candidate)) is not None:
                return
            try:
                self._learn(candidate, "download", partial(self._download, candidate))
            except Reject:
                continue

    def judged(self, candidate: Candidate) -> Judged:
        """Pass three, the verdict on what was measured."""
        self._recall(f"{_key(candidate)}#download")
        found = self._recall(_measure_key(candidate))
        assert found is not None, "measured() comes first"
        measurement = Measurement(**json.loads(found))
        norm = screen_weights(measurement, self._config(candidate), self.settings)
        self._facts[candidate.repo_id]["norm"] = f"{norm:.6g}"
        return Judged(candidate, norm, measurement.content)

    def installed(self, judged: Judged) -> Row:
        """See that a kept adapter's files are in place and whole; fetch them where not."""
        candidate = judged.candidate
        home = self._home(candidate)
        if candidate.repo_id not in self._fresh and not self._whole(candidate, home):
            shutil.rmtree(home, ignore_errors=True)
            self._install(candidate, self._fetch(candidate))
        digest = _weights(candidate).digest
        known = digest.removeprefix("sha256:")
        return {
            "sha256": known if known != digest else sha256_file(home / WEIGHTS),
            "folder": f"adapters/{candidate.folder}",
        }

    def tidy(self, kept: Iterable[str]) -> None:
        """Remove all adapters but the kept ones, and what downloads left."""
        names = {Path(folder).name for folder in kept}
        for folder in sorted((self.folder / "adapters").glob("*")):
            if folder.name not in names:
                shutil.rmtree(folder)
        shutil.rmtree(self.folder / ".partial", ignore_errors=True)

    def _config(self, candidate: Candidate) -> LoraConfig:
        return parse_config(self._config_text(candidate), self.names, self.settings)

    def _config_text(self, candidate: Candidate) -> bytes:
        file = _file(candidate, CONFIG)
        return self._learn(candidate, CONFIG, lambda: self.files.whole(candidate, file))

    def _pairs(self, candidate: Candidate, header: bytes, config: LoraConfig) -> dict[str, Pair]:
        return pairs_of(parse_header(header, _weights(candidate).size or 0), self.base, config)

    def _read_header(self, candidate: Candidate, config: LoraConfig) -> bytes:
        """Read a header. It has no hash: what it says against a candidate must be said twice."""
        weights = _weights(candidate)
        seen: list[bytes] = []
        for _ in range(READINGS):
            header = read_header(
                lambda start, stop: self.files.span(candidate, weights, start, stop),
                weights.size or 0,
                self.settings.header_bytes,
            )
            if header in seen:
                return header
            try:
                self._pairs(candidate, header, config)
            except Reject:
                seen.append(header)
            else:
                return header
        raise Outage(f"{candidate.repo_id}: {READINGS} readings of its header differ; run again")

    def _download(self, candidate: Candidate) -> bytes:
        """Fetch and measure the weights; put them in place if they may stay, remove them if not."""
        arrived = self._fetch(candidate)
        try:
            found = self._remember(_measure_key(candidate), lambda: _measured(arrived))
            measurement = Measurement(**json.loads(found))
            screen_weights(measurement, self._config(candidate), self.settings)
        except Reject:
            shutil.rmtree(arrived)
        else:
            self._install(candidate, arrived)
        return b""

    def _fetch(self, candidate: Candidate) -> Path:
        """A folder with the verified weights and config of a candidate."""
        arrived = self.folder / ".partial" / candidate.folder
        self.files.download(candidate, _weights(candidate), arrived / WEIGHTS)
        (arrived / CONFIG).write_bytes(self._config_text(candidate))
        return arrived

    def _install(self, candidate: Candidate, arrived: Path) -> None:
        home = self._home(candidate)
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        os.replace(arrived, home)
        self._fresh.add(candidate.repo_id)

    def _whole(self, candidate: Candidate, home: Path) -> bool:
        config, weights = _file(candidate, CONFIG), _weights(candidate)
        try:
            return (
                digest_of((home / CONFIG).read_bytes(), config) == config.digest
                and digest_of_file(home / WEIGHTS, weights) == weights.digest
            )
        except OSError:
            return False

    def _home(self, candidate: Candidate) -> Path:
        return self.folder / "adapters" / candidate.folder

    def _learn(self, candidate: Candidate, what: str, ask: Callable[[], bytes]) -> bytes:
        return self._remember(f"{_key(candidate)}#{what}", ask)

    def _remember(self, key: str, ask: Callable[[], bytes]) -> bytes:
        """The answer kept under a key, or a new one, which is kept; so are rejections."""
        found = self._recall(key)
        if found is not None:
            return found
        try:
            return self.evidence.put(key, b"+" + ask())[1:]
        except Reject as reject:
            said = canonical_json([reject.reason, reject.detail])
            self.evidence.put(key, b"-" + said.encode())
            raise

    def _recall(self, key: str) -> bytes | None:
        found = self.evidence.get(key)
        if found is not None and found[:1] == b"-":
            raise Reject(*json.loads(found[1:]))
        return found and found[1:]


def _measured(folder: Path) -> bytes:
    return canonical_json(measure(folder).facts()).encode()


def _key(candidate: Candidate) -> str:
    return f"{candidate.repo_id}@{candidate.sha}"


def _measure_key(candidate: Candidate) -> str:
    return f"{_weights(candidate).digest}#{MEASURE}"


def _weights(candidate: Candidate) -> File:
    return _file(candidate, WEIGHTS)


def _file(candidate: Candidate, path: str) -> File:
    file = candidate.file(path)
    assert file is not None, "screen_listing lets nothing through without"
    return file
