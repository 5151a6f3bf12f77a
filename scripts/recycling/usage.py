"""Measures a job's use of its machine: time, memory and, if there is one, the GPU."""

import contextlib
import resource
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

USE = ".use.json"  # suffix of the file with a job's usage, beside its log
SAMPLING_SECONDS = 5.0

_spent: defaultdict[str, float] = defaultdict(float)
_inner = [0.0]


@contextlib.contextmanager
def spending(what: str) -> Iterator[None]:
    """Count the time of the block under the name `what`, without the time of nested blocks."""
    _inner.append(0.0)
    start = time.monotonic()
    try:
        yield
    finally:
        elapsed = time.monotonic() - start
        _spent[what] += elapsed - _inner.pop()
        _inner[-1] += elapsed


def spent(what: str) -> float:
    """Seconds that this process has spent so far in blocks named `what`."""
    return _spent[what]


class Meter:
    """Measures this process from its start.

    It imports no library that the job does not import. Once torch uses a GPU, a thread samples the
    GPU's utilisation with nvidia-smi.
    """

    def __init__(self) -> None:
        self._utilisation: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, Any]:
        """Stop sampling and return the usage so far.

        wall, cpu, working (on results), loading (the base): seconds. memory: peak MB. gpu: None,
        or the GPU's name, mean and peak utilisation (0 to 1, None if nvidia-smi reports none) and
        torch's peak memory in MB.
        """
        self._end.set()
        self._thread.join(SAMPLING_SECONDS)
        own, children = (
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
        return {
            "wall": round(max(0.0, time.time() - psutil.Process().create_time()), 3),
            "cpu": round(cpu, 3),
            "working": round(spent("working"), 3),
            "loading": round(spent("loading"), 3),
            "memory": round(_peak_memory() or own.ru_maxrss / 1024, 1),
            "gpu": self._gpu(),
        }

    def _gpu(self) -> dict[str, Any] | None:
        cuda = _cuda()
        if cuda is None:
            return None
        samples = self._utilisation
        return {
            "name": cuda.get_device_name(),
            "mean": round(sum(samples) / len(samples), 3) if samples else None,
            "peak": max(samples) if samples else None,
            "memory": round(cuda.max_memory_allocated() / 2**20, 1),
        }

    def _watch(self) -> None:
        while not self._end.wait(SAMPLING_SECONDS):
            if (cuda := _cuda()) is not None:
                sample = _utilisation(str(cuda.get_device_properties(0).uuid))
                if sample is None:
                    return
                self._utilisation.append(sample)


def _peak_memory() -> float | None:
    """MB. ru_maxrss instead would include the memory of the parent process at the fork."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


def _cuda() -> Any:
    """torch.cuda if this process uses a GPU, else None."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None


def _utilisation(uuid: str) -> float | None:
    """The current utilisation of a GPU (0 to 1); None if nvidia-smi does not report it."""
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    name = uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"
    try:
        result = subprocess.run([*query, "-i", name], capture_output=True, text=True, timeout=10)
        return float(result.stdout) / 100
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
