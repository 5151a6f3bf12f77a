"""The disk: room, atomic renames, locks, and a clock that agrees."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recycling.doctor import Finding
from recycling.study.plan import make_plan

SKEW = 2.0  # seconds by which a file server's clock may differ
SMALL_WORLD = 0.3  # gigabytes, measured


def needed(config: Mapping[str, Any], estimates: Mapping[str, Any]) -> float:
    """Gigabytes below `results`, estimated from the plan and resources/estimates.yaml."""
    if config["world"]:
        return SMALL_WORLD
    plan = make_plan(config)
    sizes = estimates["gigabytes"]
    methods = config["methods"]
    loras = sum(methods[run.method]["kind"] == "lora" and not run.variant for run in plan.owner)
    return float(
        estimates["adapters"] * sizes["adapter"]
        + loras * sizes["lora"]
        + len(plan.owner) * sizes["run"]
    )


def room(results: Path, gigabytes: float) -> Finding:
    """Whether the disk has what the study still needs."""
    here = sum(path.stat().st_size for path in results.rglob("*") if path.is_file()) / 1e9
    free = shutil.disk_usage(existing(results)).free / 1e9
    left = max(0.0, gigabytes - here)
    text = f"{free:.1f} GB free for {results}, about {left:.1f} of {gigabytes:.1f} still needed"
    if free >= left:
        return Finding("ok", text)
    return Finding("problem", text, "make room, or set `results` to a folder on a larger disk")


def file_system(results: Path) -> Iterator[Finding]:
    """Whether the disk does what the store relies on, tried in a folder that is removed again."""
    parent = existing(results)
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=parent) as folder:
            yield from _tried(Path(folder))
    except OSError as error:
        cure = "choose a folder that you may write to"
        yield Finding("problem", f"{parent}: {error.strerror}", cure)


def _tried(folder: Path) -> Iterator[Finding]:
    (folder / "new").write_text("new")
    (folder / "old").write_text("old")
    os.replace(folder / "new", folder / "old")
    (folder / "full").mkdir()
    (folder / "full/file").touch()
    (folder / "other").mkdir()
    try:
        (folder / "full").rename(folder / "moved")
        whole = (folder / "old").read_text() == "new" and (folder / "moved/file").exists()
    except OSError:
        whole = False
    cure = "keep results on a file system with atomic renames (not an object store)"
    yield Finding("ok", "renames are atomic") if whole else Finding("problem", "no renames", cure)
    yield _locks(folder / "lock")
    skew = (folder / "old").stat().st_mtime - time.time()
    if abs(skew) > SKEW:
        cure = "set the clocks by NTP; Snakemake compares times of files"
        yield Finding("warning", f"the file server's clock is off by {skew:.0f} s", cure)


def _locks(path: Path) -> Finding:
    with open(path, "w") as one, open(path, "w") as two:
        try:
            fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Finding("ok", "locks hold")
        except OSError:
            pass
    cure = "have it mounted with flock, and never start a study twice at a time"
    return Finding("warning", "this file system has no locks", cure)


def clock(results: Path) -> Finding:
    """Whether files are dated in the future, as when a clock was set back."""
    now = time.time()
    ahead = [path.stat().st_mtime - now for path in results.rglob("*") if path.is_file()]
    future = [seconds for seconds in ahead if seconds > SKEW]
    if not future:
        return Finding("ok", "no file is dated in the future")
    hours = max(future) / 3600
    # One time for all, or files that were made from each other would seem out of order.
    touch = f"find {results} -newermt now -exec touch --date=@{now:.0f} {{}} +"
    cure = f"Snakemake will not go on from them, so date them now: {touch}"
    return Finding("warning", f"{len(future)} files are dated up to {hours:.1f} h ahead", cure)


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above that exists."""
    return folder if folder.is_dir() else existing(folder.absolute().parent)
