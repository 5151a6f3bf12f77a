"""What the tests see and do of a cluster: its jobs, by SLURM's own commands and by /proc."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 240  # seconds


@dataclass(frozen=True)
class SlurmJob:
    id: str
    state: str
    rule: str  # and its wildcards: what the job makes
    gres: str
    folder: str


def slurm(*words: str) -> str:
    """Standard output of one of SLURM's commands."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def jobs(states: str = "running,pending,completing") -> list[SlurmJob]:
    told = slurm("squeue", "--noheader", "--states", states, "--format", "%i|%T|%k|%b|%Z")
    return [SlurmJob(*line.split("|")) for line in told.splitlines()]


def facts(job: str) -> dict[str, str]:
    """What SLURM says of a job, e.g. {"JobState": "FAILED", "Restarts": "0"}."""
    words = slurm("scontrol", "--oneliner", "show", "job", job).split()
    return dict(word.split("=", 1) for word in words if "=" in word)


def wait_for(what: Callable[[], object]) -> object:
    """The first true answer; AssertionError if there is none in time."""
    end = time.monotonic() + PATIENCE
    while not (answer := what()):
        assert time.monotonic() < end, (
            f"waited in vain: {what.__doc__ or what}; jobs: {jobs('all')}"
        )
        time.sleep(0.5)
    return answer


def running(rule: str, snakemake: subprocess.Popen[bytes]) -> SlurmJob:
    """A job of a rule once its script is at work, of a Snakemake that has not ended before."""

    def at_work() -> SlurmJob | None:
        assert snakemake.poll() is None, f"Snakemake ended before a job of {rule} was seen"
        known = [job for job in jobs("running") if job.rule.startswith(f"rule_{rule}")]
        return next((job for job in known if job.id in scripts()), None)

    found = wait_for(at_work)
    assert isinstance(found, SlurmJob)
    return found


def scripts() -> dict[str, str]:
    """SLURM job -> CUDA_VISIBLE_DEVICES ("" for none) of the project's scripts that run now."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if not any(b".snakemake/scripts/" in word for word in words[:2]):
                continue
            entries = (process / "environ").read_text(errors="replace").split("\0")
            known = dict(entry.split("=", 1) for entry in entries if "=" in entry)
            if "SLURM_JOB_ID" in known:
                found[known["SLURM_JOB_ID"]] = known.get("CUDA_VISIBLE_DEVICES", "")
    return found


@contextlib.contextmanager
def watched() -> Iterator[list[tuple[list[SlurmJob], dict[str, str]]]]:
    """Yield a list that grows: running jobs and their scripts' GPUs, about every second."""
    seen: list[tuple[list[SlurmJob], dict[str, str]]] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(1):
            seen.append((jobs("running"), scripts()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
