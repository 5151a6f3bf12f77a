"""Files and folders that are whole or absent."""

import pytest

from recycling.files import atomic, atomic_folder
from recycling.miniature.repositories import _folder


def fill(folder):
    (folder / "new").write_text("new")


def test_a_folder_replaces_the_one_before(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").write_text("old")
    with atomic_folder(tmp_path / "out") as folder:
        fill(folder)
        assert (tmp_path / "out/old").exists()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("before", [True, False])
def test_a_folder_whose_making_fails_is_as_it_was(tmp_path, before):
    if before:
        (tmp_path / "out").mkdir()
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "out") as folder:
        fill(folder)
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["out"] * before


def test_a_file_whose_making_fails_is_as_it_was(tmp_path):
    (tmp_path / "out").write_text("old")
    with pytest.raises(ZeroDivisionError), atomic(tmp_path / "out") as file:
        file.write_text("new")
        raise ZeroDivisionError
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_hidden_files_are_no_part_of_a_repository(tmp_path):
    (tmp_path / "a").mkdir()
    for name in (".hidden", "a/.hidden", "a/shown", "shown"):
        (tmp_path / name).write_text("")
    assert set(_folder(tmp_path)) == {"shown", "a/shown"}
