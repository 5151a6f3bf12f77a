"""Candidates: from the Hub's listing, from a list of repositories, or from a folder."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recycling.errors import UserError
from recycling.files import canonical_json, sha256_file
from recycling.hub.candidates import (
    CONFIG,
    LOCAL,
    MAX_TAGS,
    SHA,
    WEIGHTS,
    Candidate,
    File,
    first_files,
    licence_of,
    read_candidates,
)
from recycling.hub.evidence import Evidence
from recycling.hub.progress import Progress
from recycling.hub.reasons import InvalidResponse, Reject, plain
from recycling.hub.settings import Network

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

    from recycling.hub.client import Client

# pool.source -> the key of `pool` that it requires.
SOURCES = {"crawl": None, "repos": "repos", "folder": "folder", "frozen": "candidates"}


def find_candidates(
    pool: Mapping[str, Any], base: str, *, endpoint: str, work: Path, network: Network
) -> list[Candidate]:
    """The candidates of a pool, sorted by repository. They come from `pool["source"]`:

    - crawl: every repository tagged as an adapter of `base` or of one of `pool["aliases"]`
    - repos: the repositories of `pool["repos"]`, a list, or a file with one `owner/name[@sha]`
      per line
    - folder: each subfolder of `pool["folder"]`
    - frozen: the rows of `pool["candidates"]`

    work: a folder for partial results; an interrupted crawl continues from them. Raises UserError
    for an invalid `pool` or an empty crawl, Outage if the Hub does not respond.
    """
    source = pool.get("source", "crawl")
    if source not in SOURCES:
        raise UserError(f"pool.source: {source!r}: expected one of {', '.join(SOURCES)}")
    required = SOURCES[source]
    if required and not pool.get(required):
        raise UserError(f"pool.{required}: required because pool.source is {source}; set it")
    if source == "frozen":
        return sorted(read_candidates(pool["candidates"]), key=lambda c: c.repo_id)
    if source == "folder":
        return from_folder(pool["folder"])
    from recycling.hub.client import Client

    with Client(endpoint, network=network) as client, Evidence(work / "crawl.tsv") as evidence:
        if source == "repos":
            candidates = from_list(client, read_list(pool["repos"]), evidence)
        else:
            candidates = crawl(client, [base, *pool.get("aliases", ())], evidence)
    # The next crawl is a refresh: it must request everything again.
    evidence.path.unlink()
    return candidates


def crawl(client: "Client", bases: Sequence[str], evidence: Evidence) -> list[Candidate]:
    """List all adapters of `bases` by exact tag, page by page, and describe each.

    A repository tagged with two bases counts for the first. Descriptions go to `evidence`, by
    commit, so that an interrupted crawl can continue. Raises UserError if the Hub lists none.
    """
    candidates: dict[str, Candidate] = {}
    for base in bases:
        for candidate in client.retry(
            f"the list of adapters of {base}", partial(_list_adapters, client, base)
        ):
            candidates.setdefault(candidate.repo_id, candidate)
    if not candidates:
        raise UserError(f"base.repo: {client.endpoint} lists no adapter of {' or '.join(bases)}")
    return _describe_all(client, list(candidates.values()), evidence)


def _list_adapters(client: "Client", base: str) -> list[Candidate]:
    progress = Progress(f"listing adapters of {base}")
    with checked_response():
        infos = client.api.list_models(filter=f"base_model:adapter:{base}", full=True)
        candidates = [progress.count(_candidate(info, base)) for info in infos]
    progress.end()
    return candidates


def from_list(client: "Client", entries: Iterable[str], evidence: Evidence) -> list[Candidate]:
    """Candidates from `owner/name[@sha]`; without a sha, the current head of main is frozen."""
    listed = {}
    for entry in entries:
        repo_id, _, sha = entry.partition("@")
        if sha and not SHA.fullmatch(sha):
            raise UserError(f"pool.repos: {entry!r}: expected owner/name or owner/name@<40 hex>")
        author = repo_id.partition("/")[0]
        if repo_id in listed:
            raise UserError(f"pool.repos: {repo_id} is listed twice; keep one line")
        listed[repo_id] = Candidate(repo_id, sha, author, found="repos")
    return _describe_all(client, list(listed.values()), evidence)


def read_list(repos: str | Path | Sequence[str]) -> list[str]:
    """Repositories from a list, or from a file with one per line (# starts a comment)."""
    if isinstance(repos, str | Path):
        try:
            lines = Path(repos).read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise UserError(f"pool.repos: {repos}: {error.strerror}") from None
        repos = [line.partition("#")[0].strip() for line in lines]
    return [entry for entry in repos if entry]


def from_folder(root: str | Path) -> list[Candidate]:
    """Each subfolder of `root` as the candidate local/<name>; its sha is a hash of its files."""
    root = Path(root)
    if not root.is_dir():
        raise UserError(f"pool.folder: {root} is not a folder; name one that holds PEFT adapters")
    candidates = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = []
        for path in paths:
            name = path.relative_to(folder).as_posix()
            digest = f"sha256:{sha256_file(path)}" if name in (CONFIG, WEIGHTS) else ""
            files.append(File(name, path.stat().st_size, digest))
        content = canonical_json([asdict(file) for file in files])
        candidates.append(
            Candidate(
                repo_id=f"{LOCAL}/{folder.name}",
                sha=hashlib.sha1(content.encode()).hexdigest(),
                author="local",
                found="folder",
                n_files=len(files),
                files=first_files(files),
            )
        )
    return candidates


def _describe_all(
    client: "Client", listed: Sequence[Candidate], evidence: Evidence
) -> list[Candidate]:
    progress = Progress("describing candidates", len(listed))

    def describe(candidate: Candidate) -> Candidate:
        return progress.count(_describe(client, candidate, evidence))

    with ThreadPoolExecutor(client.network.workers) as threads:
        described = all_results(threads, describe, listed)
    progress.end()
    return sorted(described, key=lambda candidate: candidate.repo_id)


def all_results(
    threads: ThreadPoolExecutor, action: Callable[[Any], Any], items: Iterable[Any]
) -> list[Any]:
    """The results in order. The first error cancels every item that has not started."""
    futures = [threads.submit(action, item) for item in items]
    try:
        return [future.result() for future in futures]
    except BaseException:
        threads.shutdown(wait=True, cancel_futures=True)
        raise


def _describe(client: "Client", candidate: Candidate, evidence: Evidence) -> Candidate:
    """Add sizes and hashes of the files, unless the listing shows that no adapter is there."""
    if not candidate.safe_name or (candidate.sha and not candidate.safe):
        return candidate
    if candidate.files and not all(candidate.file(name) for name in (CONFIG, WEIGHTS)):
        return candidate
    key = f"{candidate.repo_id}@{candidate.sha}"
    entry = evidence.get(key)
    if entry is None:

        def request() -> Candidate:
            with checked_response():
                info = client.api.model_info(
                    candidate.repo_id, revision=candidate.sha or None, files_metadata=True
                )
                return _candidate(info, candidate.found)

        try:
            facts: dict[str, Any] = {"info": asdict(client.retry(candidate.repo_id, request))}
        except Reject as reject:
            facts = {"state": reject.reason}
        entry = evidence.put(key, canonical_json(facts).encode())
    facts = json.loads(entry)
    if "state" in facts:
        return replace(candidate, state=facts["state"])
    info = facts["info"]
    files = tuple(File(**file) for file in info["files"])
    described = Candidate(**{**info, "files": files, "tags": tuple(info["tags"])})
    sha = candidate.sha or described.sha
    if candidate.found == "repos":
        return replace(described, sha=sha)
    return replace(
        candidate, sha=sha, state=described.state, files=files, n_files=described.n_files
    )


@contextlib.contextmanager
def checked_response() -> Iterator[None]:
    """Turn an error of the client library on a malformed response into InvalidResponse."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidResponse(f"a malformed response ({type(error).__name__})") from error


def _candidate(info: "ModelInfo", found: str) -> Candidate:
    tags = [plain(tag, 200) for tag in info.tags or ()]
    files = [File(s.rfilename, _size(s), _digest(s)) for s in info.siblings or ()]
    return Candidate(
        repo_id=plain(info.id),
        sha=plain(info.sha or ""),
        author=plain(info.author or info.id.partition("/")[0]),
        licence=licence_of(tags),
        downloads=info.downloads or 0,
        created=info.created_at.isoformat() if info.created_at else "",
        modified=info.last_modified.isoformat() if info.last_modified else "",
        gated=str(info.gated) if info.gated else "",
        private=bool(info.private),
        state="disabled" if info.disabled else "listed",
        found=found,
        n_files=len(files),
        tags=tuple(tags[:MAX_TAGS]),
        files=first_files(files),
    )


def _size(sibling: Any) -> int | None:
    return sibling.size if isinstance(sibling.size, int) else None


def _digest(sibling: Any) -> str:
    if sibling.lfs:
        return f"sha256:{sibling.lfs.sha256}"
    return f"git:{sibling.blob_id}" if sibling.blob_id else ""
