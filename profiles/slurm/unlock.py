"""Clean up after a killed Snakemake: cancel its remaining SLURM jobs and remove its lock.

Run it in the same folder and on the same machine as Snakemake: python profiles/slurm/unlock.py
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

# The name that Snakemake gives to its SLURM jobs: a UUID.
JOB_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIMEOUT = 120  # seconds


def submitted_jobs() -> list[str]:
    """Ids of unfinished SLURM jobs that a Snakemake submitted from this folder."""
    if not shutil.which("squeue"):  # without SLURM, there is only the lock to remove
        return []
    command = ["squeue", "--me", "--noheader", "--format", "%i|%j|%Z"]
    squeue = subprocess.run(command, capture_output=True, text=True)
    if squeue.returncode:
        sys.exit(f"error: squeue failed ({squeue.stderr.strip()}); try again when it works")
    jobs = [line.split("|", 2) for line in squeue.stdout.splitlines()]
    cwd = Path.cwd().resolve()
    return [
        job
        for job, name, folder in jobs
        if JOB_NAME.fullmatch(name) and Path(folder).resolve() == cwd
    ]


def running_snakemakes(jobs: list[str]) -> list[str]:
    """Process ids of Snakemakes in this folder that are not part of `jobs`."""
    processes = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            environment = (process / "environ").read_bytes().split(b"\0")
            in_this_folder = (process / "cwd").resolve() == Path.cwd().resolve()
        except OSError:  # of another user, or ended
            continue
        is_snakemake = any(Path(os.fsdecode(word)).name == "snakemake" for word in words[:3])
        is_job = any(f"SLURM_JOB_ID={job}".encode() in environment for job in jobs)
        if in_this_folder and is_snakemake and not is_job:
            processes.append(process.name)
    return processes


def main() -> None:
    jobs = submitted_jobs()
    if running := running_snakemakes(jobs):
        sys.exit(
            f"error: Snakemake is running in this folder (process {' '.join(running)}): stop it"
        )
    if jobs:
        print(f"cancelling {len(jobs)} jobs of a killed Snakemake: {' '.join(jobs)}")
        subprocess.run(["scancel", *jobs], check=True)
    end = time.monotonic() + TIMEOUT
    while remaining := submitted_jobs():
        if time.monotonic() > end:
            sys.exit(
                f"error: jobs {' '.join(remaining)} have not ended; run this again before Snakemake"
            )
        time.sleep(2)
    unlock = ["snakemake", "--unlock", "--cores", "1"]
    sys.exit(subprocess.run([sys.executable, "-m", *unlock]).returncode)


if __name__ == "__main__":
    main()
