"""A batch of runs, and the end of its time."""

import json

import pytest

from recycling.errors import UserError
from recycling.jobs import batch
from recycling.jobs.batch import compute_runs, line_of, read_runs
from recycling.store.store import Recipe, Store
from recycling.study.run import Run

RUNS = [Run("ours", f"t{n}", 0, variant=(("init", "zero"),)) for n in range(4)]


def recipe(run):
    return Recipe("square", "c0de", {"task": run.task}, {})


class Clock:
    """Time that passes only while something is computed."""

    def __init__(self, seconds):
        self.now, self.seconds = 1000.0, seconds

    def time(self):
        return self.now

    monotonic = time

    def compute(self, run, folder):
        self.now += self.seconds
        return {"accuracy": 0.5}


@pytest.fixture
def clock(monkeypatch):
    clock = Clock(seconds=10)
    monkeypatch.setattr(batch, "time", clock)
    return clock


def test_it_stops_between_two_runs_and_the_next_attempt_goes_on_there(tmp_path, clock):
    store, output = Store(tmp_path / "store"), tmp_path / "runs.jsonl"
    with pytest.raises(UserError, match=r"2 of 4 runs are done.*continues there"):
        compute_runs(RUNS, recipe, clock.compute, store, output, deadline=1030)
    assert clock.now == 1020  # a third run would have needed the time until 1032.5
    assert not output.exists()
    compute_runs(RUNS, recipe, clock.compute, store, output, deadline=2000)
    assert clock.now == 1040  # two runs came from the store
    assert [Run.from_json(line) for line in read_runs(output)] == RUNS


def test_every_attempt_gets_further_however_little_time_it_has(tmp_path, clock):
    store, output = Store(tmp_path / "store"), tmp_path / "runs.jsonl"
    for done in (1, 2, 3):
        with pytest.raises(UserError, match=f"{done} of 4 runs are done"):
            compute_runs(RUNS, recipe, clock.compute, store, output, deadline=clock.now + 1)
    compute_runs(RUNS, recipe, clock.compute, store, output, deadline=clock.now + 1)
    assert len(read_runs(output)) == 4


def test_stored_runs_need_no_time(tmp_path, clock):
    store, output = Store(tmp_path / "store"), tmp_path / "runs.jsonl"
    compute_runs(RUNS, recipe, clock.compute, store, output)
    before = output.read_bytes()
    compute_runs(RUNS, recipe, None, store, output, deadline=0)
    assert output.read_bytes() == before
    assert [json.loads(line)["seconds"] for line in before.splitlines()] == [10] * 4


def test_the_line_of_a_run_is_found_by_all_its_fields(tmp_path, clock):
    store, output = Store(tmp_path / "store"), tmp_path / "runs.jsonl"
    compute_runs(RUNS, recipe, clock.compute, store, output)
    assert line_of(RUNS[2], output)["key"] == recipe(RUNS[2]).key
    with pytest.raises(UserError, match=r"runs\.jsonl: it does not have the run .*'t2'"):
        line_of(Run("ours", "t2", 0), output)
