import json
import multiprocessing
import os
import signal
import time

import pytest

from recycling.errors import UserError
from recycling.store.store import Recipe, Store

RECIPE = Recipe("square", "c0de", {"x": 3}, {"base": "b"})


def write_nine(folder):
    (folder / "result.json").write_text("9")
    (folder / "adapter").mkdir()
    (folder / "adapter" / "weights").write_bytes(b"\0" * 100)


def never(folder):
    raise AssertionError("computed although it was in the store")


def test_computed_once(tmp_path):
    store = Store(tmp_path)
    folder = store.compute(RECIPE, write_nine)
    assert folder == tmp_path / RECIPE.key[:2] / RECIPE.key
    assert (store.compute(RECIPE, never) / "result.json").read_text() == "9"


@pytest.mark.parametrize(
    "other",
    [
        Recipe("cube", "c0de", {"x": 3}, {"base": "b"}),
        Recipe("square", "c1de", {"x": 3}, {"base": "b"}),
        Recipe("square", "c0de", {"x": 4}, {"base": "b"}),
        Recipe("square", "c0de", {"x": 3}, {"base": "c"}),
    ],
)
def test_every_part_of_the_recipe_is_in_the_key(other):
    assert other.key != RECIPE.key


def test_key_does_not_depend_on_the_order_of_settings():
    one = Recipe("f", "c", {"a": 1, "b": 2}, {})
    two = Recipe("f", "c", {"b": 2, "a": 1}, {})
    assert one.key == two.key


def flip(path):
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: flip(folder / "adapter" / "weights"),
        lambda folder: (folder / "result.json").write_text(""),
        lambda folder: (folder / "adapter" / "weights").unlink(),
        lambda folder: (folder / "entry.json").unlink(),
        lambda folder: (folder / "entry.json").write_text("{"),
        lambda folder: (folder / "entry.json").write_text("[]"),
        lambda folder: (folder / "entry.json").write_text(
            json.dumps({"recipe": Recipe("f", "c", {}, {}).as_dict(), "files": {}})
        ),
    ],
)
def test_a_broken_entry_is_set_aside_and_computed_again(tmp_path, damage, capsys):
    store = Store(tmp_path)
    damage(store.compute(RECIPE, write_nine))
    assert store.get(RECIPE.key) is None
    assert len(list((tmp_path / "broken").iterdir())) == 1
    assert RECIPE.key in capsys.readouterr().err
    assert (store.compute(RECIPE, write_nine) / "result.json").read_text() == "9"


def test_a_failed_computation_leaves_nothing(tmp_path):
    store = Store(tmp_path)

    def fail(folder):
        (folder / "result.json").write_text("9")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        store.compute(RECIPE, fail)
    assert store.get(RECIPE.key) is None
    assert list((tmp_path / "tmp").iterdir()) == []


def test_require_says_what_is_gone(tmp_path):
    with pytest.raises(UserError, match=r"the target LoRA.*runs\.jsonl"):
        Store(tmp_path).require(RECIPE.key, "the target LoRA", "runs.jsonl")


def test_what_a_killed_job_left_is_removed_after_a_day(tmp_path):
    old, young = tmp_path / "tmp" / "old", tmp_path / "tmp" / "young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "part").write_text("half")
    os.utime(old, (0, 0))
    Store(tmp_path).compute(RECIPE, write_nine)
    assert young.exists() and not old.exists()


def slow(root, started):
    def make(folder):
        (folder / "part").write_text("half")
        started.set()
        time.sleep(60)

    Store(root).compute(RECIPE, make)


def test_a_killed_writer_leaves_no_entry(tmp_path):
    started = multiprocessing.Event()
    writer = multiprocessing.Process(target=slow, args=(tmp_path, started))
    writer.start()
    assert started.wait(30)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    store = Store(tmp_path)
    assert store.get(RECIPE.key) is None
    assert (store.compute(RECIPE, write_nine) / "result.json").read_text() == "9"


def race(root, barrier):
    def make(folder):
        barrier.wait(30)
        write_nine(folder)

    Store(root).compute(RECIPE, make)


def test_racing_writers_leave_one_whole_entry(tmp_path):
    barrier = multiprocessing.Barrier(4)
    writers = [multiprocessing.Process(target=race, args=(tmp_path, barrier)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert Store(tmp_path).get(RECIPE.key) is not None
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_a_killed_computation_left_is_there_again(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt), store.partial(RECIPE) as folder:
        (folder / "checkpoint").write_text("half")
        raise KeyboardInterrupt
    with store.partial(RECIPE) as folder:
        assert (folder / "checkpoint").read_text() == "half"
        with store.partial(RECIPE) as second:
            assert second is None  # one writer at a time
    with store.partial(RECIPE) as folder:
        assert not (folder / "checkpoint").exists()
    assert not list((store.root / "partial").iterdir())
