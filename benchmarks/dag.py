"""How long Snakemake thinks: dry runs of the full study before anything ran and after all of it.

    python benchmarks/dag.py [--out benchmarks/out/dag.json]

Each study is planned in a copy of the project. "Nothing to do" is measured after empty files have
taken the place of every result and `snakemake --touch` has written down how they came about. How
the times grow is shown by cutting the study to half of its tasks or to one experiment, and by
doubling its tasks.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
OTHERS = shutil.ignore_patterns(".*", "results", "__pycache__", "out")


def studies() -> dict[str, dict[str, Any]]:
    """What each measured study changes in config.yaml."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    names = config["tasks"]["names"]
    ablated = next(grid["tasks"] for grid in config["experiments"]["design"])
    half = [*ablated, *[name for name in names if name not in ablated][: len(names) // 2 - 20]]
    return {
        "full study": {},
        "half of the tasks": {"tasks": {"names": half}},
        "twice the tasks": {"tasks": {"names": [*names, *(f"{name}_again" for name in names)]}},
        "experiment main alone": {"only": ["main"]},
    }


def smoke_study() -> dict[str, dict[str, Any]]:
    """A study that is planned in a moment, to see that this script runs."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    few = config["tasks"]["names"][:2]
    return {"full study": {"tasks": {"names": few}, "only": ["main"]}}


def measure(changes: dict[str, Any], finish: bool) -> dict[str, Any]:
    """Jobs, seconds and peak megabytes of a dry run; of a second one after all is done."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "copy"
        shutil.copytree(ROOT, root, ignore=OTHERS)
        for task in (root / "resources/tasks").glob("*.yaml"):
            twin = task.read_text().replace(f"task: {task.stem}\n", "")
            task.with_name(f"{task.stem}_again.yaml").write_text(twin)
        (root / "changes.yaml").write_text(yaml.safe_dump(changes))
        text, seconds, megabytes = snakemake(root, "--dry-run", "--quiet", "rules")
        jobs = int(re.search(r"^total +(\d+)$", text, re.MULTILINE)[1])  # type: ignore[index]
        found = {"jobs": jobs, "seconds": seconds, "MB": megabytes}
        if finish:
            pretend(root)
            text, seconds, megabytes = snakemake(root, "--dry-run", "--quiet", "rules")
            if "Nothing to be done" not in text:
                raise SystemExit(f"something was left to do:\n{text[-2000:]}")
            found |= {"seconds, nothing to do": seconds, "MB, nothing to do": megabytes}
        return found


def pretend(root: Path) -> None:
    """Put an empty file in the place of every result."""
    text, *_ = snakemake(root, "--summary")
    table = [line.split("\t") for line in text.splitlines()]
    header = next(number for number, row in enumerate(table) if row[0] == "output_file")
    for name, *_rest in table[header + 1 :]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    snakemake(root, "--touch", "--quiet", "all")


def snakemake(root: Path, *words: str) -> tuple[str, float, float]:
    """Output, seconds and peak megabytes of one call."""
    base = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "changes.yaml"]
    start = time.perf_counter()
    with subprocess.Popen(
        [*base, *words],
        cwd=root,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"snakemake {' '.join(words)} failed:\n{text[-4000:]}")
    return text, round(seconds, 2), round(usage.ru_maxrss / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="a tiny study, to see that it runs")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/out/dag.json")
    arguments = parser.parse_args()
    results = {}
    for name, changes in (smoke_study() if arguments.smoke else studies()).items():
        results[name] = measure(changes, finish=name == "full study")
        print(f"{name}: {results[name]}", flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
