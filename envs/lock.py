"""Compile envs/requirements.in into the lock and into the conda file that matches it.

    python envs/lock.py        (or: make lock)

One universal lock for Python 3.11 to 3.13, with hashes. torch is left to envs/torch.txt, because
its CPU and CUDA builds share a version but not a file; the CUDA libraries come with its own build.
"""

import re
import subprocess
import sys
from pathlib import Path

ENVS = Path(__file__).resolve().parent
sys.path.insert(0, str(ENVS.parent / "scripts"))

from recycling.pins import pins_in  # noqa: E402

NOT_LOCKED = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)$")
PYTHON = "3.12"  # of the conda file and of the container; the lock serves 3.11 to 3.13

CONDA = f"""\
# Made by envs/lock.py from requirements.lock and torch.txt: the same versions, for conda users.
name: recycling
channels: [conda-forge]
dependencies:
  - python ={PYTHON}
  - pip
  - pip:
"""


def compiled(*options: str) -> str:
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--no-header"]
    command += ["--quiet", *options, str(ENVS / "requirements.in")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ENVS.parent)
    return done.stdout.strip() + "\n"


def conda(lock: str, torch: str) -> str:
    """The conda file of a lock."""
    wanted = [
        f"{name}=={version}" + (f" ; {marker}" if marker else "")
        for name, versions in [*pins_in(lock).items(), *pins_in(torch).items()]
        for marker, version in versions.items()
    ]
    return CONDA + "".join(f'      - "{one}"\n' for one in wanted)


def main() -> None:
    options = []
    for name in filter(NOT_LOCKED.match, pins_in(compiled())):
        options += ["--no-emit-package", name]
    lock = compiled("--generate-hashes", "--no-annotate", *options)
    (ENVS / "requirements.lock").write_text(lock)
    (ENVS / "environment.yaml").write_text(conda(lock, (ENVS / "torch.txt").read_text()))


if __name__ == "__main__":
    main()
