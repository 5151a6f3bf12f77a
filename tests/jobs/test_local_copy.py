"""The base, copied to a node's own disk."""

import multiprocessing
import os
import shutil

import pytest

from recycling import base_model
from recycling.base_model import local_copy
from recycling.errors import UserError


@pytest.fixture
def base(tmp_path):
    """A base as in a download cache: links to files in another folder."""
    blobs, folder = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    folder.mkdir()
    (blobs / "a").write_bytes(b"weights" * 10_000)
    (blobs / "b").write_text("{}")
    (folder / "model.safetensors").symlink_to(blobs / "a")
    (folder / "config.json").symlink_to(blobs / "b")
    return {"path": str(folder), "id": "0123456789abcdef0123"}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.is_symlink()}


def test_files_are_copied_once_to_a_folder_with_a_variable(base, tmp_path, monkeypatch):
    monkeypatch.setenv("NODE_DISK", str(tmp_path / "disk"))
    copy = local_copy(base, "$NODE_DISK/bases")
    assert copy.parent == tmp_path / "disk/bases"
    assert set(contents(copy)) == {"model.safetensors", "config.json"}
    shutil.rmtree(tmp_path / "blobs")
    assert local_copy(base, "$NODE_DISK/bases") == copy
    assert len(contents(copy)["model.safetensors"]) == 70_000


def _copy(base, scratch, start, copies):
    copyfile = shutil.copyfile

    def counted(source, target):
        with copies.get_lock():
            copies.value += 1
        return copyfile(source, target)

    base_model.shutil.copyfile = counted
    start.wait()
    local_copy(base, scratch)


def test_concurrent_jobs_make_one_copy(base, tmp_path):
    spawn = multiprocessing.get_context("fork")
    start, copies = spawn.Event(), spawn.Value("i", 0)
    arguments = (base, str(tmp_path / "disk"), start, copies)
    jobs = [spawn.Process(target=_copy, args=arguments) for _ in range(6)]
    for job in jobs:
        job.start()
    start.set()
    for job in jobs:
        job.join(30)
    assert [job.exitcode for job in jobs] == [0] * 6
    assert copies.value == 2  # files


def test_an_incomplete_copy_of_a_killed_job_is_replaced(base, tmp_path):
    part = tmp_path / "disk" / f"base-{base['id'][:16]}.part"
    part.mkdir(parents=True)
    (part / "model.safetensors").write_bytes(b"half")
    copy = local_copy(base, str(tmp_path / "disk"))
    assert len(contents(copy)["model.safetensors"]) == 70_000
    assert not part.exists()


def test_a_variable_that_is_not_set_is_named(base):
    with pytest.raises(UserError, match=r"base\.scratch: \$NO_SUCH_DISK/x .*variable"):
        local_copy(base, "$NO_SUCH_DISK/x")


def test_a_full_disk_is_reported_and_leaves_no_files(base, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(base_model.shutil, "copyfile", full)
    with pytest.raises(UserError, match=r"base\.scratch: .*No space left.*or null"):
        local_copy(base, str(tmp_path / "disk"))
    assert [name for name in os.listdir(tmp_path / "disk") if not name.endswith(".lock")] == []
