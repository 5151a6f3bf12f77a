"""A SLURM cluster and the profile that a site fills in."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from recycling.doctor import Finding

COMMANDS = ("sbatch", "squeue", "scancel", "sinfo")
SECONDS = 30


def cluster(profile: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """Whether this machine can submit jobs, and to what the profile names. where: its file."""
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        cure = "start on a login node, or load the module that brings them"
        yield Finding("problem", f"no {', '.join(missing)} on this machine", cure)
        return
    known = {line.rstrip("*") for line in _told("sinfo", "--noheader", "--format", "%P")}
    if not known:
        yield Finding("problem", "sinfo names no partitions", "ask whoever runs the cluster")
        return
    asked = sorted({str(resources["slurm_partition"]) for resources in _resources(profile)
                    if "slurm_partition" in resources})  # fmt: skip
    unknown = [name for name in asked if name not in known]
    if unknown:
        cure = f"fill in the SITE lines of {where}; there are {', '.join(sorted(known))}"
        yield Finding("problem", f"no partition {', '.join(unknown)}", cure)
    else:
        yield Finding("ok", f"partitions {', '.join(asked)}")
    yield from _gpus(profile, where)


def _gpus(profile: Mapping[str, Any], where: str) -> Iterator[Finding]:
    asked = sorted({str(one["gres"]) for one in _resources(profile) if "gres" in one})
    offered = " ".join(_told("sinfo", "--noheader", "--format", "%G"))
    for gres in asked:
        kind = gres.rsplit(":", 1)[0]
        if kind not in offered:
            cure = f"fill in the SITE lines of {where}; there are {offered or 'none'}"
            yield Finding("problem", f"no node offers {gres}", cure)


def _resources(profile: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [profile.get("default-resources", {}), *profile.get("set-resources", {}).values()]


def _told(*command: str) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return []
    return done.stdout.split()
