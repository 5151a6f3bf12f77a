"""A checkout of its own, in which the whole study runs in a cut-down small world."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMOKE = Path(__file__).with_name("smoke.yaml")
KEPT = ("*.pyc", "__pycache__", ".git", ".venv", "results", ".snakemake", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Checkout:
    """A copy of the project that tests may edit."""

    root: Path

    def snakemake(self, *words, check=True, **options):
        """Run Snakemake on the cut-down study; text of standard output and error together."""
        done = subprocess.run(
            self.command(*words),
            cwd=self.root,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(map(str, words))} failed:\n{done.stdout[-8000:]}")
        return done

    def command(self, *words):
        files = ["studies/miniature.yaml", "smoke.yaml"]
        base = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", *files]
        return [*base, *map(str, words)]

    def shell(self, commands):
        """Run shell commands as a reader would; text of standard output and error together."""
        done = subprocess.run(
            ["bash", "-e"],
            input=commands,
            cwd=self.root,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def planned(self, *words):
        """rule -> number of jobs that a dry run would start."""
        text = self.snakemake("--dry-run", "--quiet", "rules", *words).stdout
        table = re.findall(r"^(\w+) +(\d+)$", text, flags=re.MULTILINE)
        return Counter({rule: int(n) for rule, n in table if rule not in ("total", "all")})

    def copy(self, target):
        """Another checkout with the same results, for a test that changes something."""
        shutil.copytree(self.root, target, symlinks=True)
        return Checkout(target)


def environment():
    """Snakemake by its own interpreter, offline, without the colours of a terminal."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "NO_COLOR": "1", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A checkout in which nothing has run."""
    root = tmp_path_factory.mktemp("fresh") / "checkout"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*KEPT))
    shutil.copy(SMOKE, root / "smoke.yaml")
    return Checkout(root)


@pytest.fixture(scope="session")
def finished(fresh, tmp_path_factory):
    """A checkout in which the cut-down study has run to its end."""
    checkout = fresh.copy(tmp_path_factory.mktemp("finished") / "checkout")
    checkout.snakemake()
    return checkout
