"""With what code, on what machine and with which versions something was made."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "torch", "transformers", "peft", "safetensors", "lm-eval", "numpy", "scipy", "statsmodels",
    "snakemake",
)  # fmt: skip
HEAD, CHANGES = ("rev-parse", "HEAD"), ("status", "--porcelain")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results come from."""
    return {"Python": platform.python_version()} | {
        name: metadata.version(name) for name in PACKAGES
    }


def commit(folder: str | Path) -> str:
    """The checkout's commit, and whether files differ from it; 'unknown' where git cannot tell."""
    head, changes = (_git(folder, *words) for words in (HEAD, CHANGES))
    if head is None or changes is None:
        return "unknown"
    return f"{head}, with uncommitted changes" if changes else head


def _git(folder: str | Path, *words: str) -> str | None:
    try:
        command = ["git", "-C", str(folder), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def machine() -> str:
    """The processor that computes here, and the GPU where there is one."""
    import torch  # only where something is computed, and then it is loaded already

    cpu = f"{_processor()} ({os.cpu_count()} cores)"
    return f"{cpu}, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else cpu


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
