"""The deadline of a job, from SLURM (newer and older versions) or from the user."""

import pytest

from recycling.time_limit import deadline


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """A squeue that records its arguments and prints a given answer."""
    for name in ("RECYCLING_DEADLINE", "SLURM_JOB_END_TIME", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    called = tmp_path / "called"

    def answer(text):
        program = tmp_path / "squeue"
        script = f'#!/bin/sh\necho "$SLURM_TIME_FORMAT $@" >> {called}\necho "{text}"\n'
        program.write_text(script)
        program.chmod(0o755)
        return called

    return answer


def test_a_job_outside_slurm_has_no_deadline(squeue):
    called = squeue("1700000000")
    assert deadline() is None
    assert not called.exists()


def test_newer_versions_of_slurm_set_a_variable(squeue, monkeypatch):
    called = squeue("1")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_END_TIME", "1700000000")
    assert deadline() == 1.7e9
    assert not called.exists()


def test_older_versions_of_slurm_need_squeue(squeue, monkeypatch):
    called = squeue("1700000000")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert deadline() == 1.7e9
    assert called.read_text() == "%s --noheader --jobs 7 --format %e\n"


@pytest.mark.parametrize("answer", ["", "N/A", "NONE"])
def test_a_job_without_limit_has_no_deadline(squeue, monkeypatch, answer):
    squeue(answer)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert deadline() is None


def test_no_squeue_on_the_node_is_no_error(squeue, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert deadline() is None


def test_the_users_variable_comes_first(squeue, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_END_TIME", "1")
    monkeypatch.setenv("RECYCLING_DEADLINE", "1700000000")
    assert deadline() == 1.7e9
