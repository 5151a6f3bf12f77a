"""What a job takes of its machine: time, memory and, where there is one, the GPU."""

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

USE = ".use.json"  # of a job, beside its log
SAMPLING_SECONDS = 5.0

_spent: defaultdict[str, float] = defaultdict(float)
_inner = [0.0]


@contextlib.contextmanager
def spending(what: str) -> Iterator[None]:
    """Count the time of the block as `what`, without that of blocks within it."""
    _inner.append(0.0)
    start = time.monotonic()
    try:
        yield
    finally:
        elapsed = time.monotonic() - start
        _spent[what] += elapsed - _inner.pop()
        _inner[-1] += elapsed


def spent(what: str) -> float:
    """Seconds that this process has spent so far on `what`."""
    return _spent[what]


class Meter:
    """Watches this process from its start. It imports nothing that a job does not: a GPU is looked
    at once torch is in use on one, by nvidia-smi in a thread that mostly sleeps."""

    def __init__(self) -> None:
        self._utilisation: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, Any]:
        """The use up to now.

        wall, cpu, working (on results), loading (the base): seconds. memory: peak, in MB. gpu: None
        or its name, mean and peak utilisation (0 to 1, None where nvidia-smi says nothing) and
        the peak of torch's memory in MB.
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
        seen = self._utilisation
        return {
            "name": cuda.get_device_name(),
            "mean": round(sum(seen) / len(seen), 3) if seen else None,
            "peak": max(seen) if seen else None,
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
    """MB. ru_maxrss would count what the process that started this one had at that moment."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


def _cuda() -> Any:
    """torch.cuda where this process has begun to use a GPU, else None."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None


def _utilisation(uuid: str) -> float | None:
    """Of one GPU at this moment; None where it cannot be had."""
    asked = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    name = uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"
    try:
        answer = subprocess.run([*asked, "-i", name], capture_output=True, text=True, timeout=10)
        return float(answer.stdout) / 100
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
