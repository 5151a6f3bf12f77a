"""What re-runs after an edit: neither more nor less than it should."""

import csv
import os
from pathlib import PurePosixPath

import pytest
from tests.workflow.edits import EDITS, SMALL

pytestmark = pytest.mark.xdist_group("workflow")


@pytest.fixture(scope="module")
def edited(finished, tmp_path_factory):
    """A finished checkout that the tests edit in turns."""
    return finished.copy(tmp_path_factory.mktemp("edited") / "checkout")


def jobs(checkout):
    """log -> (outputs, inputs, whether it would run) of every job of the study."""
    text = checkout.snakemake("--detailed-summary").stdout
    lines = [line for line in text.splitlines() if line.count("\t") == 7]
    found = {}
    for row in csv.DictReader(lines, delimiter="\t"):
        outputs, inputs, pending = found.setdefault(row["log-file(s)"], (set(), set(), []))
        outputs.add(row["output_file"])
        inputs.update(row["input-file(s)"].split(","))
        pending.append(row["plan"] == "update pending")
    return {name: (outputs, inputs, any(plans)) for name, (outputs, inputs, plans) in found.items()}


@pytest.fixture(scope="module")
def study(edited):
    """The jobs of the finished study, of which none is left to do."""
    found = jobs(edited)
    assert len(found) > 50 and not any(pending for _, _, pending in found.values())
    return found


def matching(paths, pattern):
    """The paths below the study's results that match a pattern."""
    return {path for path in paths if PurePosixPath(path).match(f"{SMALL}/{pattern}")}


def made_by(study):
    """All outputs of these jobs."""
    return set().union(*(outputs for outputs, _, _ in study.values()))


def following(study, first):
    """The outputs of the jobs that make a file of `first`, and of all jobs that follow them."""
    made = set().union(*(matching(made_by(study), pattern) for pattern in first))
    size = -1
    while len(made) != size:
        size = len(made)
        for outputs, inputs, _ in study.values():
            if (inputs | outputs) & made:
                made |= outputs
    return made


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_reruns_what_depends_on_it_and_nothing_else(edited, study, name):
    edit = EDITS[name]
    path = edited.root / edit.path
    before, times = path.read_bytes(), path.stat()
    for pattern in edit.first:
        assert following(study, [pattern]), f"{pattern}: the study has no such file"
    try:
        text = edit.change(before.decode(errors="surrogateescape"))
        path.write_text(text) if text is not None else path.unlink()
        after = jobs(edited)
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    planned = {path for outputs, _, pending in after.values() if pending for path in outputs}
    wanted = following(study, edit.first) & made_by(after)
    for pattern in edit.new:
        assert matching(planned, pattern), f"{pattern}: not planned"
        wanted |= matching(planned - made_by(study), pattern)
    assert planned == wanted
