"""What re-runs after an edit: neither more nor less than it should."""

import contextlib
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


@contextlib.contextmanager
def applied(checkout, *edits):
    """The checkout with these edits, as long as the block lasts."""
    before = {}
    try:
        for edit in edits:
            path = checkout.root / edit.path
            before.setdefault(path, (path.read_bytes(), path.stat()))
            text = edit.change(path.read_bytes().decode(errors="surrogateescape"))
            path.write_text(text) if text is not None else path.unlink()
        yield
    finally:
        for path, (content, times) in before.items():
            path.write_bytes(content)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def planned_after(checkout, *edits):
    """The files that would be made again, and all files of the study as it then is."""
    with applied(checkout, *edits):
        after = jobs(checkout)
    pending = [outputs for outputs, _, pending in after.values() if pending]
    return set().union(*pending), made_by(after)


def test_edits_that_change_no_result_rerun_nothing(edited, study):
    quiet = {name: edit for name, edit in EDITS.items() if not (edit.first or edit.new)}
    assert len(quiet) > 15
    if planned_after(edited, *quiet.values())[0]:  # all at once; if that fails, one by one
        assert [name for name in quiet if planned_after(edited, quiet[name])[0]] == []
        pytest.fail("these edits together re-run something, though none alone does")


@pytest.mark.parametrize("name", [name for name, one in EDITS.items() if one.first or one.new])
def test_an_edit_reruns_what_depends_on_it_and_nothing_else(edited, study, name):
    edit = EDITS[name]
    for pattern in edit.first:
        assert following(study, [pattern]), f"{pattern}: the study has no such file"
    planned, there = planned_after(edited, edit)
    wanted = following(study, edit.first) & there
    for pattern in edit.new:
        assert matching(planned, pattern), f"{pattern}: not planned"
        wanted |= matching(planned - made_by(study), pattern)
    assert planned == wanted
