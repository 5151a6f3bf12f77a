"""Killed at any moment and started again: the same pool, and no unnecessary request."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.hub.adapters import World, adapter, reason

from recycling.hub.candidates import read_candidates, write_candidates
from recycling.hub.evidence import Evidence
from recycling.miniature.faults import Fault

DRIVER = """
import sys
from pathlib import Path
sys.path[:0] = ["scripts", "."]
from recycling.hub.candidates import read_candidates, write_candidates
from types import SimpleNamespace
from tests.hub.adapters import QUICK, BASE, World
url, folder = sys.argv[1], Path(sys.argv[2])
frozen = folder / "candidates.tsv"
if not frozen.exists():
    from recycling.hub.crawl import find_candidates
    pool = {"source": "crawl"}
    write_candidates(
        frozen, find_candidates(pool, BASE, endpoint=url, work=folder, network=QUICK)
    )
world = World(Path(), SimpleNamespace(url=url))
world.pool(folder, read_candidates(frozen))
"""
PLACES = {
    "listing": r"GET /api/models\?.*cursor",
    "describing": r"GET /api/models/a/good-3",
    "config": r"GET /a/good-3/.*config",
    "download": r"GET /a/good-4/.*safetensors",
}
FINAL = ("candidates.tsv", "pool.tsv", "rejected.tsv")


def fill(world: World) -> None:
    for number in range(6):
        world.add(f"a/good-{number}", adapter(number))
    world.add("a/copy", adapter(2), created="2025-01-01T00:00:00.000Z")
    world.add("a/faint", adapter(9, lora_alpha=0.001))
    world.add("a/dora", adapter(8, use_dora=True))
    world.add("a/deleted", missing=True)


def contents(folder: Path) -> dict[str, str]:
    """Hashes of the results: the tables and everything under adapters/."""
    paths = [folder / name for name in FINAL]
    paths += [path for path in (folder / "adapters").rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
    }


def build(world: World, folder: Path) -> None:
    candidates = world.crawl(folder)
    write_candidates(folder / "candidates.tsv", candidates)
    world.pool(folder, candidates)


def start(world: World, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, world.hub.url, str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("place", PLACES)
def test_kill_and_resume(paged: World, tmp_path: Path, place: str) -> None:
    world = paged
    fill(world)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    build(world, whole)
    world.hub.requests.clear()
    # the download is the second request for the weights, after the header
    after = 1 if place == "download" else 0
    silence = Fault("stall", PLACES[place], times=-1, after=after, seconds=60)
    world.hub.faults.append(silence)
    process = start(world, broken)
    deadline = time.monotonic() + 60
    while silence.met == 0:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (broken / "pool.tsv").exists()
    world.hub.faults.clear()
    before = len(world.hub.requests)
    if (broken / "candidates.tsv").exists():
        world.pool(broken, read_candidates(broken / "candidates.tsv"))
    else:
        build(world, broken)
    assert contents(broken) == contents(whole)
    assert not (broken / ".partial").exists()
    again = set(world.hub.requests[:before]) & set(world.hub.requests[before:])
    finished = {"config": "/api/models/a/", "download": "config"}.get(place)
    assert not (finished and any(finished in line for line in again))


class Killed(BaseException):
    """Like kill -9: no clean-up, no further step."""


def test_a_stop_before_any_write(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write of evidence and every move of a folder is the last one once."""
    world.add("a/good", adapter(0))
    world.add("a/copy", adapter(0), created="2025-01-01T00:00:00.000Z")
    world.add("a/faint", adapter(9, lora_alpha=0.001))
    world.add("a/bias", adapter(8, bias="all"))
    whole = tmp_path / "whole"
    build(world, whole)
    candidates = read_candidates(whole / "candidates.tsv")
    for step in range(1000):
        folder = tmp_path / f"step-{step}"
        left = [step]

        def counted(action: Callable[..., Any], left: list[int] = left) -> Callable[..., Any]:
            def run(*args: Any, **kwargs: Any) -> Any:
                left[0] -= 1
                if left[0] < 0:
                    raise Killed
                return action(*args, **kwargs)

            return run

        with monkeypatch.context() as patch:
            patch.setattr(Evidence, "put", counted(Evidence.put))
            patch.setattr(os, "replace", counted(os.replace))
            patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
            with contextlib.suppress(Killed):
                world.pool(folder, candidates)
        world.pool(folder, candidates)
        write_candidates(folder / "candidates.tsv", candidates)
        assert contents(folder) == contents(whole), f"after step {step}"
        if left[0] >= 0:
            break
        shutil.rmtree(folder)
    assert step > 12


def test_a_rerun_makes_no_request(world: World, tmp_path: Path) -> None:
    fill(world)
    build(world, tmp_path / "pool")
    candidates = read_candidates(tmp_path / "pool" / "candidates.tsv")
    first = contents(tmp_path / "pool")
    world.hub.requests.clear()
    world.pool(tmp_path / "pool", candidates)
    assert world.hub.requests == []
    assert contents(tmp_path / "pool") == first


def test_other_limits_request_only_what_is_missing(world: World, tmp_path: Path) -> None:
    fill(world)
    candidates = world.crawl(tmp_path / "pool")
    world.pool(tmp_path / "pool", candidates)
    world.hub.requests.clear()
    rows = world.pool(tmp_path / "pool", candidates, screening={"norm_above": 0.0})
    assert reason(rows["a/faint"]) == "kept"
    assert [line.split("/")[1:3] for line in world.hub.requests] == [["a", "faint"]]


def test_an_extended_list_requests_only_the_new(world: World, tmp_path: Path) -> None:
    fill(world)
    candidates = world.crawl(tmp_path / "pool")
    world.pool(tmp_path / "pool", candidates)
    world.add("b/new", adapter(50))
    more = world.crawl(tmp_path / "pool")
    world.hub.requests.clear()
    rows = world.pool(tmp_path / "pool", more)
    assert reason(rows["b/new"]) == "kept"
    assert {tuple(line.split("/")[1:3]) for line in world.hub.requests} == {("b", "new")}


@pytest.mark.parametrize("file", ["adapter_config.json", "adapter_model.safetensors"])
@pytest.mark.parametrize("damage", ["changed", "cut", "removed"])
def test_a_damaged_kept_adapter_is_fetched_again(
    world: World, tmp_path: Path, file: str, damage: str
) -> None:
    fill(world)
    build(world, tmp_path / "pool")
    candidates = read_candidates(tmp_path / "pool" / "candidates.tsv")
    first = contents(tmp_path / "pool")
    path = tmp_path / "pool" / "adapters" / "a--good-1" / file
    if damage == "changed":
        content = bytearray(path.read_bytes())
        content[-5] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        os.truncate(path, 100)
    else:
        path.unlink()
    world.pool(tmp_path / "pool", candidates)
    assert contents(tmp_path / "pool") == first


def test_the_order_of_the_listing_does_not_matter(world: World, tmp_path: Path) -> None:
    fill(world)
    candidates = world.crawl(tmp_path / "a")
    tables = []
    for name, order in (("a", candidates), ("b", candidates[::-1])):
        world.pool(tmp_path / name, list(order))
        tables.append([(tmp_path / name / table).read_bytes() for table in FINAL[1:]])
    assert tables[0] == tables[1]


def test_a_copy_replaces_a_lost_original(world: World, tmp_path: Path) -> None:
    world.add("a/original", adapter(1), created="2024-01-01T00:00:00.000Z")
    world.add("b/copy", adapter(1), created="2024-01-02T00:00:00.000Z")
    candidates = world.crawl(tmp_path)
    assert reason(world.pool(tmp_path, candidates)["b/copy"]) == "duplicate"
    shutil.rmtree(tmp_path / "adapters" / "a--original")
    world.add("a/original", adapter(1), missing=True)
    rows = world.pool(tmp_path, candidates)
    assert (reason(rows["a/original"]), reason(rows["b/copy"])) == ("gone", "kept")
    assert os.listdir(tmp_path / "adapters") == ["b--copy"]
