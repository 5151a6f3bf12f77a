"""A batch of runs, each taken from the store or computed into it."""

import functools
import json
import math
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recycling.errors import Outdated, UserError
from recycling.files import atomic, read_json, write_json
from recycling.provenance import machine
from recycling.store.store import Recipe, Store
from recycling.study.run import Run
from recycling.usage import spent

RESULT = "result.json"
# A run may take this many times as long as the longest before it and still be expected to fit.
SPREAD = 1.25


def compute_runs(
    runs: Sequence[Run],
    recipe: Callable[[Run], Recipe],
    compute: Callable[[Run, Path], dict[str, Any]],
    store: Store,
    output: str | Path,
    deadline: float | None = None,
) -> None:
    """Write `output`: one JSON line a run with its fields, its results and its key in the store.

    recipe(run): what the run is computed from. compute(run, folder): fills the folder of a store
    entry and returns the run's results. A run that is in the store is not computed. Every finished
    run is in the store before the next one starts, so an interrupted batch continues where it was.

    deadline: when this process will be stopped, in seconds since 1970. UserError, between two runs,
    if another run as long as the longest so far would not fit. Every batch computes at least one
    new run: a time that was measured on a slower machine must not keep it from trying.
    """
    lines: list[dict[str, Any]] = []
    computed = False
    for number, run in enumerate(runs, 1):
        made_from = recipe(run)
        known = store.get(made_from.key) is not None
        if not known and computed and deadline is not None:
            _stop_if_late(deadline, lines, len(runs))
        computed |= not known
        folder = store.compute(made_from, functools.partial(_timed, compute, run))
        result = read_json(folder / RESULT)
        lines.append({**run.to_json(), **result, "key": made_from.key})
        print(_progress(number, len(runs), run, result, known), file=sys.stderr, flush=True)
    with atomic(output) as temporary:
        temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def read_runs(path: str | Path) -> list[dict[str, Any]]:
    """The lines of a batch's file. Raises UserError if it is missing, Outdated if cut off."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except json.JSONDecodeError:
        raise Outdated(f"{path}: not one JSON object a line", path) from None


def line_of(run: Run, path: str | Path) -> dict[str, Any]:
    """The line of a run in the file of its batch. Raises UserError if the file does not have it."""
    for line in read_runs(path):
        if Run.from_json(line) == run:
            return line
    raise UserError(f"{path}: it does not have the run {run.to_json()}")


def files_with(keys: Collection[str], folder: str | Path) -> list[Path]:
    """The files of runs below `folder` that name one of these keys."""
    return [
        path
        for path in sorted(Path(folder).rglob("*.jsonl"))
        if any(run["key"] in keys for run in read_runs(path))
    ]


def _stop_if_late(deadline: float, done: Sequence[Mapping[str, Any]], total: int) -> None:
    longest = max(line["seconds"] for line in done)
    if time.time() + SPREAD * longest > deadline:
        raise UserError(
            f"stopped before the job's time limit: {len(done)} of {total} runs are done, another "
            f"may take {longest:.0f} s; the next attempt continues there"
        )


def _timed(compute: Callable[[Run, Path], dict[str, Any]], run: Run, folder: Path) -> None:
    start, loading = time.monotonic(), spent("loading")
    result = compute(run, folder)
    # JSON has no NaN: a value that was not measured is null.
    result = {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in result.items()
    }
    # The first run of a batch loads the base for all of them.
    seconds = time.monotonic() - start - (spent("loading") - loading)
    result["seconds"] = round(seconds, 3)
    result["machine"] = machine()
    result["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(folder / RESULT, result)


def _progress(number: int, total: int, run: Run, result: Mapping[str, Any], known: bool) -> str:
    parts = [f"[{number}/{total}]", run.method, run.task, f"seed {run.seed}"]
    if run.k:
        parts += [run.selection or "-", f"K {run.k}", f"{run.target} target"]
        parts += [f"skip {run.skip}"] if run.skip else []
        parts += [f"reinit {run.reinit}"] if run.reinit != "none" else []
    parts.append(f"accuracy {result['accuracy']:.3f}")
    parts.append("(stored)" if known else f"({result['seconds']:.1f} s)")
    return " ".join(parts)
