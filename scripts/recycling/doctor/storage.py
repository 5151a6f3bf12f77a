"""The disk: free space, atomic renames, locks and clocks."""

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

MAX_SKEW = 2.0  # seconds by which a file server's clock may differ
SMALL_WORLD = 0.3  # gigabytes, measured


def required_gigabytes(config: Mapping[str, Any], estimates: Mapping[str, Any]) -> float:
    """Gigabytes that the study needs in `results`. estimates: resources/estimates.yaml."""
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


def free_space(results: Path, gigabytes: float) -> Finding:
    """Whether the disk has enough space for the rest of the study's `gigabytes`."""
    used = sum(path.stat().st_size for path in results.rglob("*") if path.is_file()) / 1e9
    free = shutil.disk_usage(nearest_existing(results)).free / 1e9
    missing = max(0.0, gigabytes - used)
    text = f"{free:.1f} GB free for {results}, about {missing:.1f} of {gigabytes:.1f} still needed"
    if free >= missing:
        return Finding("ok", text)
    return Finding("problem", text, "free some space, or set `results` to a folder on another disk")


def file_system(results: Path) -> Iterator[Finding]:
    """Whether the file system supports what the store relies on, tested in a temporary folder."""
    parent = nearest_existing(results)
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=parent) as folder:
            yield from _test_folder(Path(folder))
    except OSError as error:
        fix = "set `results` to a folder that you may write to"
        yield Finding("problem", f"{parent}: {error.strerror}", fix)


def _test_folder(folder: Path) -> Iterator[Finding]:
    (folder / "new").write_text("new")
    (folder / "old").write_text("old")
    os.replace(folder / "new", folder / "old")
    (folder / "full").mkdir()
    (folder / "full/file").touch()
    (folder / "other").mkdir()
    try:
        (folder / "full").rename(folder / "moved")
        renamed = (folder / "old").read_text() == "new" and (folder / "moved/file").exists()
    except OSError:
        renamed = False
    fix = "keep results on a file system with atomic renames (not an object store)"
    yield Finding("ok", "renames are atomic") if renamed else Finding("problem", "no renames", fix)
    yield _locks(folder / "lock")
    skew = (folder / "old").stat().st_mtime - time.time()
    if abs(skew) > MAX_SKEW:
        fix = "synchronise the clocks with NTP; Snakemake compares modification times"
        yield Finding("warning", f"the file server's clock is off by {skew:.0f} s", fix)


def _locks(path: Path) -> Finding:
    with open(path, "w") as first, open(path, "w") as second:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Finding("ok", "file locks work")
        except OSError:
            pass
    fix = "mount it with flock, or never run the same study twice at the same time"
    return Finding("warning", "this file system has no locks", fix)


def file_dates(results: Path) -> Finding:
    """Whether files are dated in the future, for example after a clock was set back."""
    now = time.time()
    ahead = [path.stat().st_mtime - now for path in results.rglob("*") if path.is_file()]
    future = [seconds for seconds in ahead if seconds > MAX_SKEW]
    if not future:
        return Finding("ok", "no file is dated in the future")
    hours = max(future) / 3600
    # The same time for all, so that no output is older than its inputs.
    touch = f"find {results} -newermt now -exec touch --date=@{now:.0f} {{}} +"
    fix = f"Snakemake cannot continue from them, so date them now: {touch}"
    return Finding("warning", f"{len(future)} files are dated up to {hours:.1f} h ahead", fix)


def nearest_existing(folder: Path) -> Path:
    """The folder itself, or its nearest parent that exists."""
    return folder if folder.is_dir() else nearest_existing(folder.absolute().parent)
