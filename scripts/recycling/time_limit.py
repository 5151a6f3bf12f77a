"""The time at which the scheduler will stop this process."""

import os
import subprocess

SQUEUE_TIMEOUT = 10  # seconds


def deadline() -> float | None:
    """The end of this job's time limit, in seconds since 1970; None if it has none.

    Taken from RECYCLING_DEADLINE if it is set. Under SLURM otherwise from SLURM_JOB_END_TIME or, in
    older versions, from squeue.
    """
    end = os.environ.get("RECYCLING_DEADLINE") or os.environ.get("SLURM_JOB_END_TIME")
    if not end and (job := os.environ.get("SLURM_JOB_ID")):
        end = _end_from_squeue(job)
    try:
        return float(end) if end else None
    except ValueError:
        return None  # squeue prints a word for a job without limit


def _end_from_squeue(job: str) -> str:
    # squeue formats times with strftime, which handles the time zone.
    try:
        result = subprocess.run(
            ["squeue", "--noheader", "--jobs", job, "--format", "%e"],
            env={**os.environ, "SLURM_TIME_FORMAT": "%s"},
            capture_output=True,
            text=True,
            timeout=SQUEUE_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # the job is killed at its limit instead and continues in the next attempt
    return result.stdout.strip()
