"""A SLURM cluster, and the profile for it."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from recycling.doctor import Finding

COMMANDS = ("sbatch", "squeue", "scancel", "sinfo")
TIMEOUT = 30  # seconds


def cluster(profile: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """Whether this machine can submit jobs, and whether the cluster has the profile's resources.

    where: the profile's file, for messages.
    """
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        fix = "start on a login node, or load the module that provides them"
        yield Finding("problem", f"no {', '.join(missing)} on this machine", fix)
        return
    available = {line.rstrip("*") for line in _output("sinfo", "--noheader", "--format", "%P")}
    if not available:
        yield Finding("problem", "sinfo lists no partitions", "ask the cluster's administrators")
        return
    named = sorted({str(resources["slurm_partition"]) for resources in _resources(profile)
                    if "slurm_partition" in resources})  # fmt: skip
    unknown = [name for name in named if name not in available]
    if unknown:
        fix = f"fill in the SITE lines of {where}; available: {', '.join(sorted(available))}"
        yield Finding("problem", f"no partition {', '.join(unknown)}", fix)
    else:
        yield Finding("ok", f"partitions {', '.join(named)}")
    yield from _gpus(profile, where)


def _gpus(profile: Mapping[str, Any], where: str) -> Iterator[Finding]:
    requests = {str(resources["gres"]) for resources in _resources(profile) if "gres" in resources}
    available = " ".join(_output("sinfo", "--noheader", "--format", "%G"))
    for gres in sorted(requests):
        kind = gres.rsplit(":", 1)[0]
        if kind not in available:
            fix = f"fill in the SITE lines of {where}; available: {available or 'none'}"
            yield Finding("problem", f"no node has {gres}", fix)


def _resources(profile: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [profile.get("default-resources", {}), *profile.get("set-resources", {}).values()]


def _output(*command: str) -> list[str]:
    """The words of a command's output, none if it times out."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return []
    return result.stdout.split()
