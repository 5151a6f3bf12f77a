"""The pool: every candidate screened in three passes, the cheapest first, and accounted for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from recycling.hub.candidates import WEIGHTS, Candidate
from recycling.hub.crawl import all_results
from recycling.hub.evidence import Evidence
from recycling.hub.examine import Examiner, Judged
from recycling.hub.manifest import Row, listed_row, rejected_row
from recycling.hub.progress import Progress
from recycling.hub.reasons import Outage, Reject
from recycling.hub.screen import screen_listing
from recycling.hub.settings import Screening

if TYPE_CHECKING:
    from recycling.hub.fetch import Files

Item = TypeVar("Item")
Result = TypeVar("Result")


def build_pool(
    candidates: Sequence[Candidate],
    base_shapes: Mapping[str, tuple[int, int]],
    *,
    names: Iterable[str],
    files: "Files",
    folder: Path,
    settings: Screening,
    workers: int = 8,
) -> tuple[list[Row], list[Row]]:
    """Screen all candidates; return the rows of pool.tsv and of rejected.tsv, by repository.

    base_shapes: (out, in) of the base's linear modules. names: the base and its aliases, as
    configs spell them. Kept adapters lie in folder/adapters/<owner>--<name>/ and nothing else
    does when this returns. What was learned stays in folder/evidence.tsv: an interrupted
    screening goes on where it was, and a repeated one asks nothing.

    Outage (a UserError) where candidates could not be judged because the Hub did not answer:
    there is no pool then, and the next start asks for those alone.
    """
    with Evidence(folder / "evidence.tsv") as evidence:
        examiner = Examiner(files, evidence, folder, base_shapes, frozenset(names), settings)
        rejected: list[Row] = []

        def stage(
            what: str, items: Sequence[Candidate], check: Callable[[Candidate], Result]
        ) -> list[Result]:
            passed = []
            for candidate, result in zip(items, _each(what, items, check, workers), strict=True):
                if isinstance(result, Reject):
                    rejected.append(rejected_row(candidate, result, examiner.facts(candidate)))
                else:
                    passed.append(result)
            return passed

        left = sorted(candidates, key=lambda c: (c.created or "9", c.repo_id))
        left = stage("listing", left, lambda c: screen_listing(c, settings))
        left = stage("config and header", left, examiner.screened)
        _each("weights", _by_file(left), examiner.measured, workers)
        judged = stage("norms", left, examiner.judged)
        groups = [[one] for one in judged] if settings.duplicates else _by_content(judged)
        kept: list[Row] = []
        settled = _each("files", groups, lambda group: _settled(group, examiner), workers)
        for group, rows in zip(groups, settled, strict=True):
            assert not isinstance(rows, Reject), "_settled answers for each of a group"
            for one, row in zip(group, rows, strict=True):
                facts = examiner.facts(one.candidate)
                if isinstance(row, Reject):
                    rejected.append(rejected_row(one.candidate, row, facts))
                else:
                    kept.append({**listed_row(one.candidate), **facts, **row})
        examiner.tidy(row["folder"] for row in kept)
    if len(kept) + len(rejected) != len(candidates):
        raise AssertionError("a candidate was lost")
    return _sorted(kept), _sorted(rejected)


def _each(
    what: str, items: Sequence[Item], action: Callable[[Item], Result], workers: int
) -> list[Result | Reject]:
    """Results of `action` or its Reject, in order. Outages are raised when all others are done."""
    progress = Progress(what, len(items))

    def one(item: Item) -> Result | Reject | Outage:
        try:
            return progress.one(action(item))
        except (Reject, Outage) as error:
            return progress.one(error)
        except OSError as error:  # of this machine: a full disk, a lost file system
            return progress.one(Outage(f"{error.filename or 'the pool'}: {error.strerror}"))

    with ThreadPoolExecutor(workers) as threads:
        results = all_results(threads, one, items)
    progress.end()
    outages = [result for result in results if isinstance(result, Outage)]
    if outages:
        raise Outage(
            f"{what}: {len(outages)} of {len(items)} could not be judged, first {outages[0]}"
        ) from outages[0]
    return results


def _by_file(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Candidates grouped by their weights file's hash: a file that several share comes once."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        file = candidate.file(WEIGHTS)
        groups.setdefault(file.digest if file else "", []).append(candidate)
    return list(groups.values())


def _by_content(judged: Sequence[Judged]) -> list[list[Judged]]:
    """Adapters of the same weights together, the earliest first."""
    groups: dict[str, list[Judged]] = {}
    for one in judged:
        groups.setdefault(one.content, []).append(one)
    return list(groups.values())


def _settled(group: Sequence[Judged], examiner: Examiner) -> list[Row | Reject]:
    """The first of a group that can be put in place stays; the later ones are its duplicates."""
    settled: list[Row | Reject] = []
    original = ""
    for one in group:
        if original:
            settled.append(Reject("duplicate", f"same weights as {original}"))
            continue
        try:
            settled.append(examiner.installed(one))
            original = one.candidate.repo_id
        except Reject as reject:
            settled.append(reject)
    return settled


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["repo_id"])
