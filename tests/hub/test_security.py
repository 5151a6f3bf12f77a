"""Untrusted repositories cannot reach beyond their folder, nor the token beyond its host."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from tests.hub.adapters import BASE, QUICK, World, adapter, reason

from recycling.errors import UserError
from recycling.hub.candidates import Candidate, File
from recycling.hub.client import Client
from recycling.hub.reasons import Outage, Reject, plain
from recycling.hub.screen import screen_listing
from recycling.hub.settings import Network, Screening, network_of
from recycling.miniature.faults import Fault
from recycling.miniature.loopback import Loopback

SHA = "0123456789abcdef0123456789abcdef01234567"
FILES = (
    File("adapter_config.json", 10, "git:00"),
    File("adapter_model.safetensors", 10, "sha256:00"),
)
HOSTILE = [
    "../../etc/passwd",
    "..",
    "a/..",
    "../a",
    "a/../../b",
    "/etc/passwd",
    "a/b/c",
    "a",
    "a/b\0c",
    "a/b\nc",
    "a\\b/c",
    "a--b/c",
    "a/b--c",
    "local/../b",
    "local/a---..",
    "a/b..c",
    ".a/b",
    "a/.b",
    "a/-b",
    "a/b.git",
    "a/b ",
    "a/$(touch x)",
    "a/é",
    "a/" + "b" * 200,
    "<b>/x",
]


@pytest.mark.parametrize("repo_id", HOSTILE)
def test_a_hostile_name_is_refused_before_any_request(repo_id: str) -> None:
    with pytest.raises(Reject) as caught:
        screen_listing(Candidate(repo_id, SHA, files=FILES), Screening())
    assert caught.value.reason == "unsafe_name"
    assert plain(caught.value.detail) == caught.value.detail


@pytest.mark.parametrize("sha", ["", "main", "../" + SHA[3:], SHA.upper(), SHA + "/..", SHA[:-1]])
def test_a_commit_is_forty_hex_digits(sha: str) -> None:
    with pytest.raises(Reject, match="unsafe_name"):
        screen_listing(Candidate("a/b", sha, files=FILES), Screening())


@pytest.mark.parametrize("repo_id", ["a/b", "Owner-1/name_2.3", "0/1", "_x/y", "a/" + "b" * 90])
def test_an_ordinary_name_passes(repo_id: str) -> None:
    assert screen_listing(Candidate(repo_id, SHA, files=FILES), Screening()).safe


def test_hostile_names_in_a_listing_are_rejected(world: World, tmp_path: Path) -> None:
    card = {"base_model": BASE, "library_name": "peft"}
    names = ["../../escape", "a/b/c", "a--b/c", "<script>alert(1)</script>/x"]
    for name in names:
        world.add(name, adapter(1), card=card)
    world.add("a/good")
    rows = world.pool(tmp_path / "deep" / "pool")
    assert {name: reason(row) for name, row in rows.items()} == {
        **dict.fromkeys(names, "unsafe_name"),
        "a/good": "kept",
    }
    assert sorted(os.listdir(tmp_path)) == ["deep", "hub"]
    assert os.listdir(tmp_path / "deep" / "pool" / "adapters") == ["a--good"]


def test_only_two_files_are_ever_requested(world: World, tmp_path: Path) -> None:
    code = b"raise SystemExit('executed')"
    files = adapter(1) | {"modeling.py": code, "adapter_model.bin": b"\x80\x04", "setup.py": code}
    world.add("a/code", files)
    assert reason(world.pool(tmp_path / "pool")["a/code"]) == "kept"
    stored = os.listdir(tmp_path / "pool" / "adapters" / "a--code")
    assert sorted(stored) == ["adapter_config.json", "adapter_model.safetensors"]
    requested = {line.rsplit("/", 1)[1] for line in world.hub.requests if "GET /a/code/" in line}
    assert requested == set(stored)


def test_no_module_that_unpickles_is_used(world: World, tmp_path: Path) -> None:
    """A pickle in place of the weights is never opened: the first bytes of the header decide."""
    import pickle

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'boom'}",)

    world.add("a/bomb", adapter(1) | {"adapter_model.safetensors": pickle.dumps(Bomb())})
    assert reason(world.pool(tmp_path / "pool")["a/bomb"]) == "header_malformed"
    assert not (tmp_path / "boom").exists()


def test_a_local_hub_cannot_lead_to_another_host(world: World, tmp_path: Path) -> None:
    world.add("a/good")
    link = {"Link": '<http://example.invalid/api/models?cursor=1>; rel="next"'}
    page = json.dumps([]).encode()
    fault = Fault("status", r"/api/models\?", status=200, headers=link, body=page, times=-1)
    world.hub.faults.append(fault)
    with pytest.raises(Outage, match=r"example\.invalid"):
        world.pool(tmp_path / "pool")


def test_the_token_is_sent_to_the_endpoint_only(tmp_path: Path) -> None:
    secret = "hf_secret_token_of_mine"
    with Loopback(tmp_path / "hub", token=secret) as hub, Loopback(tmp_path / "other") as other:
        world = World(tmp_path / "hub", hub)
        sha = world.add("a/gated", adapter(1), gated="auto")
        elsewhere = {"Location": f"{other.url}/a/gated/resolve/{sha}/adapter_config.json"}
        with Client(hub.url, token=secret, network=QUICK) as client:
            content = client.read("a/gated", sha, "adapter_config.json", 0, 10_000)
            assert json.loads(content)["peft_type"] == "LORA"
            hub.faults.append(Fault("status", "resolve", status=302, headers=elsewhere, times=-1))
            with pytest.raises(Outage, match=re.escape(hub.url)):
                client.read("a/gated", sha, "adapter_config.json", 0, 10_000)
        assert other.requests == []


def test_a_refused_token_is_reported_but_not_printed(tmp_path: Path) -> None:
    secret = "hf_secret_token_of_mine"
    with Loopback(tmp_path / "hub") as hub:
        bad = {"X-Error-Message": "Invalid credentials in Authorization header"}
        hub.faults.append(Fault("status", status=401, headers=bad, times=-1))
        with (
            Client(hub.url, token=secret, network=QUICK) as client,
            pytest.raises(Outage, match="HF_TOKEN") as caught,
        ):
            client.retry("a/b", lambda: client.api.model_info("a/b"))
    assert secret not in str(caught.value)


def test_the_users_token_is_not_sent_to_a_local_hub(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers: list[str | None] = []
    monkeypatch.setenv("HF_TOKEN", "hf_secret_token_of_mine")
    check = Client._check_request

    def spy(self: Client, request: object) -> None:
        headers.append(request.headers.get("Authorization"))  # type: ignore[attr-defined]
        check(self, request)  # type: ignore[arg-type]

    monkeypatch.setattr(Client, "_check_request", spy)
    world.add("a/good")
    world.pool(tmp_path / "pool")
    assert headers and set(headers) == {None}
    written = [path for path in (tmp_path / "pool").rglob("*") if path.is_file()]
    assert all(b"hf_secret" not in path.read_bytes() for path in written)


def test_an_endless_response_is_cut_off(world: World, tmp_path: Path) -> None:
    """A file is never read beyond the size in its listing."""
    world.add("a/good", adapter(1))
    candidates = world.crawl(tmp_path / "crawl")
    flood = b"{" + b" " * 5_000_000
    world.hub.faults.append(Fault("body", r"adapter_config", body=flood, times=-1))
    rows = world.pool(tmp_path / "pool", candidates)
    assert reason(rows["a/good"]) == "hash_mismatch"


def test_an_untrusted_pattern_cannot_stall(world: World, tmp_path: Path) -> None:
    world.add("a/evil", adapter(1, alpha_pattern={"(.*)*x": 4, "(a|a)*b": 2}))
    assert reason(world.pool(tmp_path / "pool")["a/evil"]) == "unsupported_pattern"


def test_details_are_one_bounded_line() -> None:
    assert plain("a\tb\r\nc\x1b[31m") == "a b  c [31m"
    assert len(plain("x" * 10_000)) == 300
    assert plain("\u202egpj.exe") == " gpj.exe"


def test_the_screen_needs_no_network_library_before_the_endpoint_is_chosen() -> None:
    """Importing the stage must not import huggingface_hub, which reads HF_ENDPOINT only once."""
    code = (
        "import sys, recycling.hub.crawl, recycling.hub.pool_builder, recycling.hub.endpoint;"
        "print([m for m in ('huggingface_hub', 'transformers', 'datasets') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "scripts"},
        check=True,
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["workers", "timeout", "attempts", "slowest"])
def test_a_network_without_a_bound_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"hub.{name}: 0"):
        network_of({name: 0})


def test_a_token_never_leaves_its_host_even_where_others_are_allowed() -> None:
    client = Client("https://hub.example", token="hf_secret")
    here = httpx2.Request("GET", "https://hub.example/x", headers={"Authorization": "Bearer x"})
    client._check_request(here)
    bare = httpx2.Request("GET", "https://cdn.example/x")
    client._check_request(bare)
    there = httpx2.Request("GET", "https://cdn.example/x", headers={"Authorization": "Bearer x"})
    with pytest.raises(Outage, match=r"cdn\.example"):
        client._check_request(there)
    assert here.extensions["timeout"]["read"] == Network().timeout
