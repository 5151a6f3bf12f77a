"""A failing network leads to the same pool or to a clear error, never to a wrong verdict."""

import time
from pathlib import Path
from typing import Any

import pytest
from tests.hub.adapters import World, adapter, reason

from recycling.hub.reasons import Outage
from recycling.hub.settings import Network
from recycling.miniature.faults import Fault

LISTING, INFO = r"GET /api/models\?", r"GET /api/models/a/"
CONFIG, WEIGHTS = r"adapter_config\.json", r"adapter_model\.safetensors"
WAIT = {"Retry-After": "0"}
MAINTENANCE = b"<html><h1>Be right back</h1></html>"
# Every kind of request with every kind of temporary failure. A download is the second request for
# a weights file, after its header.
PLACES = {
    "listing": LISTING,
    "info": INFO,
    "config": CONFIG,
    "header": WEIGHTS,
    "download": f"good-1/.*{WEIGHTS}",
}
AFTER = {"download": 1}
TEMPORARY: dict[str, dict[str, Any]] = {
    "too many requests": {"action": "status", "status": 429, "headers": WAIT},
    "too many requests, no delay named": {"action": "status", "status": 429},
    "server error": {"action": "status", "status": 500},
    "bad gateway": {"action": "status", "status": 502, "body": MAINTENANCE},
    "unavailable": {"action": "status", "status": 503, "times": 2},
    "gateway timeout": {"action": "status", "status": 504},
    "request timeout": {"action": "status", "status": 408},
    "reset": {"action": "reset"},
    "cut": {"action": "cut"},
    "short": {"action": "short"},
    "silence": {"action": "stall", "seconds": 30.0},
    "corrupt": {"action": "corrupt"},
    "maintenance page": {"action": "body", "body": MAINTENANCE},
    "lagging copy": {
        "action": "status",
        "status": 404,
        "headers": {"X-Error-Code": "RepoNotFound"},
    },
    "error as JSON": {"action": "body", "body": b'{"error": "try later"}'},
    "senseless JSON": {"action": "body", "body": b'[{"name": 1}]'},
    "null": {"action": "body", "body": b"null"},
}
BRIEF = Network(workers=4, timeout=0.4, attempts=6)


def fill(world: World) -> None:
    for number in range(3):
        world.add(f"a/good-{number}", adapter(number))
    world.add("a/dora", adapter(8, use_dora=True))
    world.add("a/deleted", missing=True)


EXPECTED = {
    "a/good-0": "kept",
    "a/good-1": "kept",
    "a/good-2": "kept",
    "a/dora": "dora",
    "a/deleted": "gone",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", TEMPORARY)
def test_a_temporary_fault_changes_nothing(
    world: World, tmp_path: Path, place: str, fault: str
) -> None:
    fill(world)
    injected = Fault(match=PLACES[place], after=AFTER.get(place, 0), **TEMPORARY[fault])
    world.hub.faults.append(injected)
    rows = world.pool(tmp_path / "pool", network=BRIEF)
    assert {name: reason(row) for name, row in rows.items()} == EXPECTED
    assert injected.times == 0, "the fault never occurred"
    for number in range(3):
        stored = tmp_path / "pool" / "adapters" / f"a--good-{number}" / "adapter_model.safetensors"
        assert stored.read_bytes() == adapter(number)["adapter_model.safetensors"]


LASTING: dict[str, dict[str, Any]] = {
    "unavailable": {"action": "status", "status": 503},
    "reset": {"action": "reset"},
    "silence": {"action": "stall", "seconds": 30.0},
    "maintenance page": {"action": "body", "body": MAINTENANCE},
    "redirect loop": {"action": "status", "status": 302, "headers": {"Location": "?again=1"}},
    "no gzip": {
        "action": "status",
        "status": 200,
        "headers": {"Content-Encoding": "gzip"},
        "body": MAINTENANCE,
    },
    "not a Hub": {"action": "status", "status": 404, "body": MAINTENANCE},
    "forbidden by a proxy": {"action": "status", "status": 403, "body": MAINTENANCE},
}


# A file with the same wrong bytes on every attempt is a reject, tested further below.
STOPS = [place for place in PLACES if place != "header"]
CASES = [(p, f) for p in STOPS for f in LASTING if (p, f) != ("download", "maintenance page")]


@pytest.mark.parametrize(("place", "fault"), CASES)
def test_a_lasting_fault_stops_with_an_error_and_the_next_run_continues(
    world: World, tmp_path: Path, place: str, fault: str
) -> None:
    fill(world)
    after = AFTER.get(place, 0)
    world.hub.faults.append(Fault(match=PLACES[place], times=-1, after=after, **LASTING[fault]))
    network = Network(workers=4, timeout=0.1, attempts=2)
    with pytest.raises(Outage) as caught:
        world.pool(tmp_path / "pool", network=network)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "pool" / "pool.tsv").exists()
    world.hub.faults.clear()
    rows = world.pool(tmp_path / "pool", network=BRIEF)
    assert {name: reason(row) for name, row in rows.items()} == EXPECTED


def test_one_failing_repository_does_not_stop_the_others(world: World, tmp_path: Path) -> None:
    fill(world)
    world.hub.faults.append(Fault("reset", match="GET /a/good-1/", times=-1))
    network = Network(workers=4, timeout=5.0, attempts=2)
    with pytest.raises(Outage, match=r"1 of 4 .*a/good-1"):
        world.pool(tmp_path / "pool", network=network)
    candidates = world.crawl(tmp_path / "crawl")
    world.hub.faults.clear()
    world.hub.requests.clear()
    rows = world.pool(tmp_path / "pool", candidates)
    assert {name: reason(row) for name, row in rows.items()} == EXPECTED
    requests = {line.split("/resolve")[0] for line in world.hub.requests if "config" in line}
    assert requests == {"GET /a/good-1"}


def test_the_same_wrong_bytes_every_time_are_a_reject(world: World, tmp_path: Path) -> None:
    fill(world)
    spoilt = b"x" * len(adapter(1)["adapter_model.safetensors"])
    # the header (first request) arrives; the download never does
    match = f"good-1/.*{WEIGHTS}"
    world.hub.faults.append(Fault("body", match=match, after=1, times=-1, body=spoilt))
    rows = world.pool(tmp_path / "pool")
    assert {name: reason(row) for name, row in rows.items()} == {
        **EXPECTED,
        "a/good-1": "hash_mismatch",
    }
    assert not (tmp_path / "pool" / "adapters" / "a--good-1").exists()


def test_a_damaged_header_is_read_again_before_a_reject(world: World, tmp_path: Path) -> None:
    fill(world)
    pointer = b"version https://git-lfs.github.com/spec/v1\n" + b" " * 9000
    world.hub.faults.append(Fault("body", match=f"good-1/.*{WEIGHTS}", body=pointer))
    rows = world.pool(tmp_path / "pool")
    assert {name: reason(row) for name, row in rows.items()} == EXPECTED


def test_an_interrupted_download_continues(world: World, tmp_path: Path) -> None:
    fill(world)
    world.hub.faults.append(Fault("cut", match=f"good-2/.*{WEIGHTS}", after=1))
    world.hub.ranges.clear()
    rows = world.pool(tmp_path / "pool")
    assert reason(rows["a/good-2"]) == "kept"
    size = len(adapter(2)["adapter_model.safetensors"])
    starts = [int(span[len("bytes=") :].split("-")[0]) for span in world.hub.ranges if span]
    assert any(0 < start < size for start in starts)


def test_slow_responses_time_out(world: World, tmp_path: Path) -> None:
    fill(world)
    world.hub.faults.append(Fault("drip", match=INFO, seconds=0.05))
    world.hub.faults.append(Fault("drip", match=f"GET /a/good-0/.*{WEIGHTS}", seconds=0.02))
    network = Network(workers=4, timeout=0.4, attempts=6)
    start = time.monotonic()
    rows = world.pool(tmp_path / "pool", network=network)
    assert {name: reason(row) for name, row in rows.items()} == EXPECTED
    assert time.monotonic() - start < 20, "the drips alone would take a minute"


def test_an_endless_response_is_not_read_to_its_end(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recycling.hub.client.MAX_RESPONSE_BYTES", 100_000)
    fill(world)
    flood = b'{"id": "a/good-0"}' + b" " * 3_000_000
    world.hub.faults.append(Fault("body", match=f"{INFO}good-0", times=-1, body=flood))
    with pytest.raises(Outage, match="good-0"):
        world.pool(tmp_path / "pool", network=BRIEF)
    world.hub.faults.clear()
    rows = world.pool(tmp_path / "pool", network=BRIEF)
    assert {name: reason(row) for name, row in rows.items()} == EXPECTED


def test_every_thread_observes_retry_after(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recycling.hub import client

    monkeypatch.setattr(client, "PAUSE_FACTOR", 1.0)
    fill(world)
    wait = {"Retry-After": "0"}
    world.hub.faults.append(Fault("status", match=CONFIG, status=429, headers=wait))
    rows = world.pool(tmp_path / "pool", world.crawl(tmp_path / "c"), network=Network(workers=1))
    assert {name: reason(row) for name, row in rows.items()} == EXPECTED
    log = zip(world.hub.requests, world.hub.times, strict=True)
    times = [when for line, when in log if "config" in line]
    assert times[1] - times[0] >= 1.0, "a request came before the delay that the Hub named"


def test_deleted_between_listing_and_download(world: World, tmp_path: Path) -> None:
    fill(world)
    candidates = world.crawl(tmp_path / "crawl")
    world.add("a/good-1", adapter(1), missing=True)
    world.add("a/good-2", adapter(2), gated="manual")
    rows = world.pool(tmp_path / "pool", candidates)
    assert {name: reason(row) for name, row in rows.items()} == {
        **EXPECTED,
        "a/good-1": "gone",
        "a/good-2": "gated",
    }


def test_a_new_commit_does_not_move_a_frozen_candidate(world: World, tmp_path: Path) -> None:
    fill(world)
    candidates = world.crawl(tmp_path / "crawl")
    world.add("a/good-1", adapter(77, use_dora=True))
    rows = world.pool(tmp_path / "pool", candidates)
    assert reason(rows["a/good-1"]) == "kept"
    stored = tmp_path / "pool" / "adapters" / "a--good-1" / "adapter_model.safetensors"
    assert stored.read_bytes() == adapter(1)["adapter_model.safetensors"]


def test_a_full_disk_is_reported(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "pool/adapters")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(Outage, match="No space left"):
            world.pool(tmp_path / "pool", world.crawl(tmp_path / "crawl"))
    rows = world.pool(tmp_path / "pool")
    assert {name: reason(row) for name, row in rows.items()} == EXPECTED


def test_offline_mode_is_respected(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: True)
    with pytest.raises(Outage, match="HF_HUB_OFFLINE"):
        world.crawl(tmp_path)
    assert world.hub.requests == []
