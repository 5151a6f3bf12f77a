"""The loopback Hub as a fixture, and no long waits."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.hub.adapters import World

from recycling.hub.offline import VARIABLES
from recycling.miniature.loopback import Loopback


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A Hub with a base model and no adapters yet."""
    with Loopback(tmp_path / "hub") as hub:
        world = World(tmp_path / "hub", hub)
        yield world


@pytest.fixture
def paged(tmp_path: Path) -> Iterator[World]:
    """The same, with four repositories to a page of the listing."""
    with Loopback(tmp_path / "hub", page=4) as hub:
        world = World(tmp_path / "hub", hub)
        yield world


@pytest.fixture(autouse=True)
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between attempts, in this client and in huggingface_hub's."""
    from huggingface_hub.utils import _http

    from recycling.hub import client

    monkeypatch.setattr(client, "PAUSE_FACTOR", 0.002)
    monkeypatch.setattr(_http.time, "sleep", quick_sleep(_http.time.sleep))


def quick_sleep(sleep: Callable[[float], None]) -> Callable[[float], None]:
    return lambda seconds: sleep(min(seconds, 0.01))


def pytest_runtest_setup() -> None:
    """Allow requests to the Hub: an imported script keeps its process off the network."""
    for name in VARIABLES:
        os.environ.pop(name, None)
