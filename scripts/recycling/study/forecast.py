"""What a study still has to do, and what that will take."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """A share of a study: jobs and runs in all and left to do, hours of one GPU, gigabytes.

    measured: whether the hours come from finished runs; else they are assumed.
    """

    name: str
    jobs: int
    jobs_left: int
    runs: int = 0
    runs_left: int = 0
    hours: float = 0.0
    gigabytes: float = 0.0
    download: float = 0.0
    measured: bool = False


@dataclass(frozen=True)
class Progress:
    """A batch: its experiment, method and kind, its number of runs, the runs that are left, and
    whether its file is there. seconds: of the finished ones. kept: runs left that keep a LoRA."""

    experiment: str
    method: str
    kind: str
    runs: int
    left: int
    done: bool
    seconds: tuple[float, ...] = ()
    kept: int = 0


def experiments(batches: Sequence[Progress], estimates: Mapping[str, Any]) -> list[Part]:
    """One part an experiment. A run is taken to last as long as the median of its method's
    finished runs, else of its kind's, else as `estimates` says.
    """
    by_method = _medians((one.method, one.seconds) for one in batches)
    by_kind = _medians((one.kind, one.seconds) for one in batches)
    parts = []
    for name in dict.fromkeys(one.experiment for one in batches):
        own = [one for one in batches if one.experiment == name]
        left = [one for one in own if not one.done]
        known = [by_method.get(one.method, by_kind.get(one.kind)) for one in left]
        seconds = sum(
            one.left * (estimates["seconds"][one.kind] if each is None else each)
            + estimates["seconds"]["job"] * (one.left > 0)
            for one, each in zip(left, known, strict=True)
        )
        sizes = estimates["gigabytes"]
        parts.append(
            Part(
                name,
                len(own),
                len(left),
                sum(one.runs for one in own),
                sum(one.left for one in left),
                seconds / 3600,
                sum(one.left * sizes["run"] + one.kept * sizes["lora"] for one in left),
                measured=bool(left) and None not in known,
            )
        )
    return parts


def scores(
    pool: str, jobs: int, left: int, adapters: int, tasks: int, estimates: Mapping[str, Any]
) -> Part:
    """The scoring of a pool of `adapters` on `tasks`, of whose `jobs` some are `left`."""
    runs = adapters * tasks
    to_do = round(runs * left / jobs)
    seconds = to_do * estimates["seconds"]["scores"] + left * estimates["seconds"]["job"]
    return Part(f"scores of the {pool} pool", jobs, left, runs, to_do, seconds / 3600)


def total(parts: Iterable[Part]) -> Part:
    """All parts as one."""
    parts = list(parts)
    columns = ("jobs", "jobs_left", "runs", "runs_left", "hours", "gigabytes", "download")
    return Part("all", **{name: sum(getattr(part, name) for part in parts) for name in columns})


def page(parts: Sequence[Part]) -> str:
    """The parts as a table for a terminal, the total below."""
    header = ("", "jobs left", "of", "runs left", "of", "GPU hours", "disk GB", "download GB")
    rows = [header, *(_cells(part) for part in (*parts, total(parts)))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _cells(part: Part) -> tuple[str, ...]:
    def number(value: float) -> str:
        return "-" if value == 0 else f"{value:,.1f}"

    hours = number(part.hours) + ("*" if part.measured else "")
    counts = (part.jobs_left, part.jobs, part.runs_left, part.runs)
    return (
        part.name,
        *(f"{count:,}" for count in counts),
        hours,
        number(part.gigabytes),
        number(part.download),
    )


def _medians(measured: Iterable[tuple[str, Sequence[float]]]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for name, seconds in measured:
        found.setdefault(name, []).extend(seconds)
    return {name: statistics.median(values) for name, values in found.items() if values}
