"""Clears up after a Snakemake that was killed: cancels the SLURM jobs it left, removes its lock.

Run in the folder in which it ran, on the same machine: python profiles/slurm/unlock.py
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # Snakemake's name for its jobs
PATIENCE = 120  # seconds


def orphans() -> list[str]:
    """The SLURM jobs that a Snakemake submitted from this folder and that have not ended."""
    if not shutil.which("squeue"):  # a machine without SLURM has but the lock to remove
        return []
    command = ["squeue", "--me", "--noheader", "--format", "%i|%j|%Z"]
    told = subprocess.run(command, capture_output=True, text=True)
    if told.returncode:
        sys.exit(f"error: squeue does not say which jobs run: {told.stderr.strip()}")
    jobs = [line.split("|", 2) for line in told.stdout.splitlines()]
    here = Path.cwd().resolve()
    return [
        job for job, name, folder in jobs if RUN.fullmatch(name) and Path(folder).resolve() == here
    ]


def at_work(jobs: list[str]) -> list[str]:
    """The processes of a Snakemake in this folder that are not themselves part of those jobs."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            known = (process / "environ").read_bytes().split(b"\0")
            here = (process / "cwd").resolve() == Path.cwd().resolve()
        except OSError:  # another user's, or gone
            continue
        is_snakemake = any(Path(os.fsdecode(word)).name == "snakemake" for word in words[:3])
        is_job = any(f"SLURM_JOB_ID={job}".encode() in known for job in jobs)
        if here and is_snakemake and not is_job:
            found.append(process.name)
    return found


def main() -> None:
    jobs = orphans()
    if running := at_work(jobs):
        sys.exit(
            f"error: Snakemake is at work in this folder (process {' '.join(running)}): stop it"
        )
    if jobs:
        print(f"cancelling {len(jobs)} jobs of a Snakemake that is gone: {' '.join(jobs)}")
        subprocess.run(["scancel", *jobs], check=True)
    end = time.monotonic() + PATIENCE
    while left := orphans():
        if time.monotonic() > end:
            sys.exit(
                f"error: jobs {' '.join(left)} do not end; try again before starting Snakemake"
            )
        time.sleep(2)
    unlock = ["snakemake", "--unlock", "--cores", "1"]
    sys.exit(subprocess.run([sys.executable, "-m", *unlock]).returncode)


if __name__ == "__main__":
    main()
