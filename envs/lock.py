"""Compile envs/requirements.in into the lock file and the matching conda file.

    python envs/lock.py        (or: make lock)

The lock is universal, for Python 3.11 to 3.13, with hashes. torch is pinned in envs/torch.txt
instead, because its CPU and CUDA builds have the same version but different files; the CUDA
libraries come with the CUDA build.
"""

import re
import subprocess
import sys
from pathlib import Path

ENVS = Path(__file__).resolve().parent
sys.path.insert(0, str(ENVS.parent / "scripts"))

from recycling.pins import parse_pins  # noqa: E402

NOT_LOCKED = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)$")
PYTHON = "3.12"  # in the conda file and the container; the lock supports 3.11 to 3.13

CONDA = f"""\
# Made by envs/lock.py from requirements.lock and torch.txt: the same versions, for conda users.
name: recycling
channels: [conda-forge]
dependencies:
  - python ={PYTHON}
  - pip
  - pip:
"""


def compile_lock(*options: str) -> str:
    """The text of a lock file for requirements.in. options: of uv pip compile."""
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--no-header"]
    command += ["--quiet", *options, str(ENVS / "requirements.in")]
    result = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ENVS.parent)
    return result.stdout.strip() + "\n"


def conda(lock: str, torch: str) -> str:
    """The text of the conda file. lock, torch: texts of requirements.lock and torch.txt."""
    pins = [
        f"{name}=={version}" + (f" ; {marker}" if marker else "")
        for name, versions in [*parse_pins(lock).items(), *parse_pins(torch).items()]
        for marker, version in versions.items()
    ]
    return CONDA + "".join(f'      - "{pin}"\n' for pin in pins)


def main() -> None:
    options = []
    for name in filter(NOT_LOCKED.match, parse_pins(compile_lock())):
        options += ["--no-emit-package", name]
    lock = compile_lock("--generate-hashes", "--no-annotate", *options)
    (ENVS / "requirements.lock").write_text(lock)
    (ENVS / "environment.yaml").write_text(conda(lock, (ENVS / "torch.txt").read_text()))


if __name__ == "__main__":
    main()
