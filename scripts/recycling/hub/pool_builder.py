"""Builds the pool: screens every candidate in three passes, the cheapest first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from recycling.hub.candidates import WEIGHTS, Candidate
from recycling.hub.crawl import all_results
from recycling.hub.evidence import Evidence
from recycling.hub.examine import Accepted, Examiner
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
    configs spell them. On return folder/adapters/ holds the kept adapters and nothing else, one
    folder <owner>--<name>/ each. Facts are stored in folder/evidence.tsv: an interrupted screening
    continues where it stopped, and a repeated one makes no requests.

    Raises Outage (a UserError) if candidates could not be screened because the Hub did not
    respond. There is no pool then; the next run requests only what is missing.
    """
    with Evidence(folder / "evidence.tsv") as evidence:
        examiner = Examiner(files, evidence, folder, base_shapes, frozenset(names), settings)
        rejected: list[Row] = []

        def screen(
            label: str, items: Sequence[Candidate], check: Callable[[Candidate], Result]
        ) -> list[Result]:
            passed = []
            for candidate, result in zip(items, _map(label, items, check, workers), strict=True):
                if isinstance(result, Reject):
                    rejected.append(rejected_row(candidate, result, examiner.facts(candidate)))
                else:
                    passed.append(result)
            return passed

        remaining = sorted(candidates, key=lambda c: (c.created or "9", c.repo_id))
        remaining = screen("listing", remaining, lambda c: screen_listing(c, settings))
        remaining = screen("config and header", remaining, examiner.screen_header)
        _map("weights", _by_file(remaining), examiner.measure, workers)
        accepted = screen("norms", remaining, examiner.screen_weights)
        groups = [[item] for item in accepted] if settings.duplicates else _by_content(accepted)
        kept: list[Row] = []
        results = _map("files", groups, lambda group: _install_first(group, examiner), workers)
        for group, rows in zip(groups, results, strict=True):
            assert not isinstance(rows, Reject), "_install_first returns a row for each member"
            for member, row in zip(group, rows, strict=True):
                facts = examiner.facts(member.candidate)
                if isinstance(row, Reject):
                    rejected.append(rejected_row(member.candidate, row, facts))
                else:
                    kept.append({**listed_row(member.candidate), **facts, **row})
        examiner.remove_unused(row["folder"] for row in kept)
    if len(kept) + len(rejected) != len(candidates):
        raise AssertionError("a candidate is neither kept nor rejected")
    return _sorted(kept), _sorted(rejected)


def _map(
    label: str, items: Sequence[Item], action: Callable[[Item], Result], workers: int
) -> list[Result | Reject]:
    """The result of `action` or its Reject, in order. Outages are raised after all other items."""
    progress = Progress(label, len(items))

    def run(item: Item) -> Result | Reject | Outage:
        try:
            return progress.count(action(item))
        except (Reject, Outage) as error:
            return progress.count(error)
        except OSError as error:  # on this machine: a full disk, a lost file system
            return progress.count(Outage(f"{error.filename or 'the pool'}: {error.strerror}"))

    with ThreadPoolExecutor(workers) as threads:
        results = all_results(threads, run, items)
    progress.end()
    outages = [result for result in results if isinstance(result, Outage)]
    if outages:
        raise Outage(
            f"{label}: {len(outages)} of {len(items)} could not be screened; first: {outages[0]}"
        ) from outages[0]
    return results


def _by_file(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Candidates grouped by the hash of their weights file, so that each file is loaded once."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        file = candidate.file(WEIGHTS)
        groups.setdefault(file.digest if file else "", []).append(candidate)
    return list(groups.values())


def _by_content(accepted: Sequence[Accepted]) -> list[list[Accepted]]:
    """Adapters grouped by equal weights, the earliest of each group first."""
    groups: dict[str, list[Accepted]] = {}
    for item in accepted:
        groups.setdefault(item.content, []).append(item)
    return list(groups.values())


def _install_first(group: Sequence[Accepted], examiner: Examiner) -> list[Row | Reject]:
    """Install the first adapter of a group that can be; reject the later ones as its duplicates."""
    results: list[Row | Reject] = []
    original = ""
    for member in group:
        if original:
            results.append(Reject("duplicate", f"same weights as {original}"))
            continue
        try:
            results.append(examiner.install(member))
            original = member.candidate.repo_id
        except Reject as reject:
            results.append(reject)
    return results


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["repo_id"])
