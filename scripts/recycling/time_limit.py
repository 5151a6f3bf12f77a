"""When this process will be stopped by whoever lent it the machine."""

import os
import subprocess

ASKING_SECONDS = 10


def deadline() -> float | None:
    """The end of this job's time, in seconds since 1970; None where nothing limits it.

    RECYCLING_DEADLINE says it on any machine. Under SLURM it is the end of the job: newer versions
    tell it to the job, older ones are asked once.
    """
    known = os.environ.get("RECYCLING_DEADLINE") or os.environ.get("SLURM_JOB_END_TIME")
    if not known and (job := os.environ.get("SLURM_JOB_ID")):
        known = _asked(job)
    try:
        return float(known) if known else None
    except ValueError:
        return None  # squeue writes a word where a job has no limit


def _asked(job: str) -> str:
    # squeue formats times with strftime, which takes care of the time zone
    try:
        answer = subprocess.run(
            ["squeue", "--noheader", "--jobs", job, "--format", "%e"],
            env={**os.environ, "SLURM_TIME_FORMAT": "%s"},
            capture_output=True,
            text=True,
            timeout=ASKING_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # a job that cannot learn its limit runs into it, and goes on in the next attempt
    return answer.stdout.strip()
