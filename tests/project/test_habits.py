"""What the project says in several places about its tests, linters, dependencies and version."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


def commands(target: str) -> list[str]:
    """The lines of a target of the Makefile, as a shell would get them."""
    (lines,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, flags=re.MULTILINE)
    return [line.replace("$(BIN)", ".venv/bin") for line in lines.replace("\t", "").splitlines()]


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


@pytest.mark.parametrize("folder", ["workflow", "slurm"])
def test_the_fast_tests_leave_out_all_that_run_snakemake(folder: str) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:xdist", "-o", "addopts="]
    command += ["-q", "--import-mode=importlib", f"tests/{folder}", "-m"]

    def collected(marks: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, marks], cwd=ROOT, capture_output=True, text=True)

    assert collected("not workflow").returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    found = collected("workflow")
    assert found.returncode == 0 and f"tests/{folder}/test_" in found.stdout
    assert any('-m "not workflow and not slow"' in line for line in commands("test-fast"))


def test_hooks_before_a_commit_are_the_linters_of_make_lint() -> None:
    hooks = [hook for repo in load(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert [hook["entry"] for hook in hooks] == commands("lint")
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in hooks)


def test_ci_runs_parts_that_the_makefile_has() -> None:
    job = load(".github/workflows/ci.yml")["jobs"]["part"]
    assert job["steps"][-1]["run"] == ".ci/run ${{ matrix.part }}"
    matrix = job["strategy"]["matrix"]
    parts = {(python, part) for python in matrix["python"] for part in matrix["part"]}
    parts |= {(entry["python"], entry["part"]) for entry in matrix["include"]}
    targets = set(re.findall(r"^([\w-]+):", MAKEFILE, flags=re.MULTILINE))
    assert {part for _, part in parts} <= targets
    (default,) = re.findall(r"set -- (.*)$", (ROOT / ".ci/run").read_text(), flags=re.MULTILINE)
    assert set(default.split()) <= {part for _, part in parts}
    oldest, newest = re.findall(r"\(3, (\d+)\)", MAKEFILE)  # the second is the first not allowed
    newest = str(int(newest) - 1)
    assert {("3." + minor, "test-fast") for minor in (oldest, newest)} <= parts
    assert project()["requires-python"] == f">=3.{oldest},<3.{int(newest) + 1}"


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_citation_and_changelog_have_the_version_of_the_project() -> None:
    citation, version = load("CITATION.cff"), project()["version"]
    assert citation["version"] == version
    heads = re.findall(r"^## \[(.+?)\](?: - (.+))?$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert heads[0] == ("Unreleased", "")
    assert heads[1] == (version, str(citation["date-released"]))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in heads[1:])
    dates = [date for _, date in heads[1:]]
    assert dates == sorted(dates, reverse=True)


def test_the_citation_names_the_authors_of_the_papers() -> None:
    for reference in load("CITATION.cff")["references"]:
        assert re.search(r"arxiv\.org/abs/\d{4}\.\d{5}$", reference["url"])
        assert all(author["family-names"] for author in reference["authors"])


def imported() -> dict[str, str]:
    """Top-level package -> a file that imports it."""
    folders = ("scripts", "benchmarks", "tests", "envs", "profiles")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    found = {name: str(path) for path in files for name in imports(path.read_text())}
    for path in (ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")):
        names = re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), flags=re.MULTILINE)
        found |= dict.fromkeys(names, str(path))
    local = {path.stem for path in (ROOT / "scripts").iterdir()} | {"tests", "__main__"}
    return {
        name: path
        for name, path in found.items()
        if name not in sys.stdlib_module_names and name not in local
    }


def imports(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def listed() -> dict[str, str]:
    """Package of requirements.in -> why it is there although nothing imports it, or ""."""
    lines = (ROOT / "envs" / "requirements.in").read_text().splitlines()
    entries = [line.partition(" # ") for line in lines if line and not line.startswith("#")]
    return {normal(re.split("[=<>]", name)[0]): reason for name, _, reason in entries}


def normal(package: str) -> str:
    return package.strip().lower().replace("_", "-")


def test_each_imported_package_is_named_and_each_named_one_is_imported() -> None:
    packages = metadata.packages_distributions()
    used = {normal(packages[name][0]): path for name, path in imported().items()}
    named = listed()
    assert {package: path for package, path in used.items() if package not in named} == {}
    assert {package for package, reason in named.items() if not reason} <= set(used)
    explained = {package for package, reason in named.items() if reason}
    assert explained & set(used) <= {"seaborn"}
