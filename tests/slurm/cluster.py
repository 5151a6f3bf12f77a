"""Access to a cluster's jobs for tests, by SLURM's commands and by /proc."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 240  # seconds


@dataclass(frozen=True)
class SlurmJob:
    id: str
    state: str
    rule: str  # with its wildcards, so that it identifies the output
    gres: str
    folder: str


def slurm(*words: str) -> str:
    """Standard output of one of SLURM's commands."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def jobs(states: str = "running,pending,completing") -> list[SlurmJob]:
    output = slurm("squeue", "--noheader", "--states", states, "--format", "%i|%T|%k|%b|%Z")
    return [SlurmJob(*line.split("|")) for line in output.splitlines()]


def facts(job: str) -> dict[str, str]:
    """SLURM's record of a job, e.g. {"JobState": "FAILED", "Restarts": "0"}."""
    words = slurm("scontrol", "--oneliner", "show", "job", job).split()
    return dict(word.split("=", 1) for word in words if "=" in word)


def wait_for(condition: Callable[[], object]) -> object:
    """Wait for the first true result; AssertionError on a timeout."""
    end = time.monotonic() + TIMEOUT
    while not (result := condition()):
        assert time.monotonic() < end, f"timeout: {condition.__name__}; jobs: {jobs('all')}"
        time.sleep(0.5)
    return result


def running(rule: str, snakemake: subprocess.Popen[bytes]) -> SlurmJob:
    """Wait for a job of a rule whose script is running. Fails if Snakemake ends before."""

    def running_job() -> SlurmJob | None:
        assert snakemake.poll() is None, f"Snakemake ended before a job of {rule} was running"
        candidates = [job for job in jobs("running") if job.rule.startswith(f"rule_{rule}")]
        return next((job for job in candidates if job.id in scripts()), None)

    job = wait_for(running_job)
    assert isinstance(job, SlurmJob)
    return job


def scripts() -> dict[str, str]:
    """SLURM job -> CUDA_VISIBLE_DEVICES ("" for none) of the project's running scripts."""
    devices = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if not any(b".snakemake/scripts/" in word for word in words[:2]):
                continue
            entries = (process / "environ").read_text(errors="replace").split("\0")
            variables = dict(entry.split("=", 1) for entry in entries if "=" in entry)
            if "SLURM_JOB_ID" in variables:
                devices[variables["SLURM_JOB_ID"]] = variables.get("CUDA_VISIBLE_DEVICES", "")
    return devices


@contextlib.contextmanager
def watched() -> Iterator[list[tuple[list[SlurmJob], dict[str, str]]]]:
    """Yield a growing list: the running jobs and their scripts' GPUs, about every second."""
    samples: list[tuple[list[SlurmJob], dict[str, str]]] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(1):
            samples.append((jobs("running"), scripts()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()
