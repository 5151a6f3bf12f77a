"""Compile envs/requirements.in into the lock and into the conda file that matches it.

    python envs/lock.py        (or: make lock)

One universal lock for Python 3.11 to 3.13, with hashes. torch is left to envs/torch.txt, because
its CPU and CUDA builds share a version but not a file; the CUDA libraries come with its own build.
"""

import re
import subprocess
from pathlib import Path

ENVS = Path(__file__).resolve().parent
NOT_LOCKED = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)$")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)( ; .*?)?( \\)?$")

CONDA = """\
# Made by envs/lock.py from requirements.lock and torch.txt: the same versions, for conda users.
name: recycling
channels: [conda-forge]
dependencies:
  - python >=3.11,<3.14
  - pip
  - pip:
"""


def compiled(*options: str) -> list[str]:
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--no-header"]
    command += ["--quiet", *options, str(ENVS / "requirements.in")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ENVS.parent)
    return done.stdout.splitlines()


def pins(lines: list[str]) -> list[re.Match[str]]:
    return [match for line in lines if (match := PIN.match(line))]


def main() -> None:
    skipped = [match[1] for match in pins(compiled()) if NOT_LOCKED.match(match[1])]
    options = [word for name in skipped for word in ("--no-emit-package", name)]
    lock = compiled("--generate-hashes", "--no-annotate", *options)
    (ENVS / "requirements.lock").write_text("\n".join(lock).strip() + "\n")
    exact = [f'      - "{match[1]}=={match[2]}{match[3] or ""}"' for match in pins(lock)]
    torch = (ENVS / "torch.txt").read_text().strip()
    (ENVS / "environment.yaml").write_text(CONDA + "\n".join([*exact, f'      - "{torch}"']) + "\n")


if __name__ == "__main__":
    main()
