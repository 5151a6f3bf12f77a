"""Any uploaded bytes get a verdict, never a crash; and what errors mean."""

import json
import struct
from itertools import pairwise
from typing import Any

import httpx2
import numpy as np
import pytest
from huggingface_hub import errors
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save
from tests.hub.adapters import BASE, SHAPES, config, tensors

from recycling.errors import UserError
from recycling.hub.adapter_config import LoraConfig, parse_config
from recycling.hub.candidates import File
from recycling.hub.fetch import digest_of
from recycling.hub.http_errors import retry_delay
from recycling.hub.reasons import REASONS, Outage, Reject
from recycling.hub.safetensors_header import pairs_of, parse_header, read_header
from recycling.hub.settings import Network, Screening, network_of
from recycling.settings import parse

NAMES = frozenset({BASE})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
WHOLE = save(tensors(0))


def verdict_of_config(content: bytes) -> LoraConfig | str:
    try:
        return parse_config(content, NAMES, Screening())
    except Reject as reject:
        return reject.reason


def verdict_of_weights(content: bytes) -> str:
    parsed = verdict_of_config(json.dumps(config()).encode())
    assert isinstance(parsed, LoraConfig)
    try:
        header = read_header(lambda a, b: content[a:b], len(content), 1_000_000)
        pairs_of(parse_header(header, len(content)), SHAPES, parsed)
    except Reject as reject:
        return reject.reason
    return "kept"


@given(st.binary(max_size=200))
def test_any_bytes_as_a_config_get_a_verdict(content: bytes) -> None:
    assert verdict_of_config(content) in REASONS


@given(st.sampled_from(sorted(config())), JSON)
def test_any_value_of_any_option_gets_a_verdict(option: str, value: Any) -> None:
    verdict = verdict_of_config(json.dumps(config(**{option: value})).encode())
    assert isinstance(verdict, LoraConfig) or verdict in REASONS


@given(st.text(max_size=20), JSON)
def test_any_further_option_gets_a_verdict(option: str, value: Any) -> None:
    verdict = verdict_of_config(json.dumps({**config(), option: value}).encode())
    assert isinstance(verdict, LoraConfig) or verdict in REASONS


@given(st.binary(max_size=300))
def test_any_bytes_as_weights_get_a_verdict(content: bytes) -> None:
    assert verdict_of_weights(content) in REASONS


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_weights_with_one_byte_changed_get_a_verdict(place: int, value: int) -> None:
    content = bytearray(WHOLE)
    content[place] = value
    assert verdict_of_weights(bytes(content)) in {*REASONS, "kept"}


@given(st.integers(0, len(WHOLE) - 1))
def test_weights_that_are_cut_anywhere_are_rejected(stop: int) -> None:
    assert verdict_of_weights(WHOLE[:stop]) in ("truncated", "header_malformed")


@given(JSON)
def test_any_json_as_a_header_gets_a_verdict(value: Any) -> None:
    text = json.dumps(value).encode()
    assert verdict_of_weights(struct.pack("<Q", len(text)) + text) in REASONS


def test_the_header_agrees_with_safetensors_itself() -> None:
    stored = {"a": np.zeros((3, 4), np.float16), "b": np.zeros((0, 2)), "c": np.zeros((), "i4")}
    content = save(stored, {"format": "pt"})
    header = read_header(lambda a, b: content[a:b], len(content), 1000)
    parsed = parse_header(header, len(content))
    assert {name: (tensor.dtype, tensor.shape) for name, tensor in parsed.items()} == {
        "a": ("F16", (3, 4)),
        "b": ("F64", (0, 2)),
        "c": ("I32", ()),
    }


def test_a_long_header_takes_exactly_two_reads() -> None:
    many = {f"{'x' * 60}{number}": np.zeros((1, 1), np.float32) for number in range(2000)}
    content, ranges = save(many), []

    def span(start: int, stop: int) -> bytes:
        ranges.append((start, stop))
        return content[start:stop]

    header = read_header(span, len(content), 1_000_000)
    assert len(parse_header(header, len(content))) == 2000
    assert len(ranges) == 2 and ranges[0][1] == ranges[1][0] and ranges[1][1] == len(header)


def test_pattern_keys_match_as_in_peft() -> None:
    """The same alpha and rank for each module as PEFT's own rule gives."""
    from peft.utils.other import get_pattern_key

    for patterns in (
        {"q_proj": 1, "layers.1.self_attn.q_proj": 2},
        {"layers.1.self_attn.q_proj": 2, "q_proj": 1},
        {"model.layers.0.mlp.down_proj": 3, "proj": 4, "^model.layers.1.mlp.down_proj": 5},
        {"elf_attn.q_proj": 6, "self_attn.v_proj": 7, "layers.1": 8},
    ):
        parsed = LoraConfig(4, 16.0, False, patterns, patterns)
        for module in SHAPES:
            key = get_pattern_key(patterns.keys(), module)
            assert parsed.rank_of(module) == patterns.get(key, 4)
            assert parsed.alpha_of(module) == patterns.get(key, 16.0)


def test_digests_are_those_of_git_and_of_lfs() -> None:
    assert digest_of(b"hello\n", File("x", 6, "git:")) == (
        "git:ce013625030ba8dba906f756967f9e9ca394464a"
    )
    assert digest_of(b"", File("x", 0, "sha256:")).startswith("sha256:e3b0c44298fc1c149afb")


# ---- what errors mean
def answer(status: int, **headers: str) -> httpx2.Response:
    request = httpx2.Request("GET", "https://hub.example/api/models/a/b")
    return httpx2.Response(status, headers=headers, request=request)


def chained(*links: BaseException) -> BaseException:
    """The first is the outermost; each is caused by the next."""
    for outer, inner in pairwise(links):
        outer.__cause__ = inner
    return links[0]


GONE = errors.RepositoryNotFoundError("gone", response=answer(401))
TEMPORARY = [
    chained(errors.LocalEntryNotFoundError("no cache"), httpx2.ConnectTimeout("slow")),
    chained(ValueError("Can't find 'adapter_config.json'"), httpx2.ReadError("reset")),
    chained(
        ValueError("Can't find"),
        errors.LocalEntryNotFoundError("no cache"),
        errors.HfHubHTTPError("busy", response=answer(503)),
    ),
    errors.HfHubHTTPError("busy", response=answer(429)),
    json.JSONDecodeError("a page", "<html>", 0),
]
PERMANENT = {
    "gone": [
        GONE,
        chained(ValueError("Can't find"), errors.LocalEntryNotFoundError("x"), GONE),
        errors.RevisionNotFoundError("no such commit", response=answer(404)),
        errors.RemoteEntryNotFoundError("no such file", response=answer(404)),
    ],
    "gated": [errors.GatedRepoError("ask first", response=answer(403))],
    "disabled": [errors.DisabledRepoError("disabled", response=answer(403))],
}


@pytest.mark.parametrize("error", TEMPORARY, ids=range(len(TEMPORARY)))
def test_temporary_errors_are_retried_whatever_wraps_them(error: BaseException) -> None:
    assert retry_delay(error, "x") is None


@pytest.mark.parametrize("reason", PERMANENT)
def test_permanent_errors_are_rejects_whatever_wraps_them(reason: str) -> None:
    for error in PERMANENT[reason]:
        with pytest.raises(Reject) as caught:
            retry_delay(error, "x")
        assert caught.value.reason == reason


@pytest.mark.parametrize("status", [400, 401, 403, 404, 451])
def test_responses_that_no_hub_sends_give_no_verdict(status: int) -> None:
    with pytest.raises(Outage, match=str(status)):
        retry_delay(errors.HfHubHTTPError("proxy", response=answer(status)), "x")


def test_a_bug_of_this_program_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        retry_delay(ZeroDivisionError(), "x")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "999999"}, 900.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"RateLimit": '"api";r=0;t=55'}, 55.0),
        ({"RateLimit": '"api";r=3;t=55'}, None),
        ({}, None),
    ],
)
def test_the_delay_that_the_hub_requests(headers: dict[str, str], seconds: float | None) -> None:
    error = errors.HfHubHTTPError("busy", response=answer(429, **headers))
    assert retry_delay(error, "x") == seconds


# ---- settings
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"norm_abov": 1}, "unknown setting 'norm_abov'"),
        ({"norm_above": "1"}, "screening.norm_above: '1'"),
        ({"norm_above": True}, "screening.norm_above: True"),
        ({"norm_above": -1}, "screening.norm_above: -1"),
        ({"norm_above": 2000}, "norm_above: 2000.0 is not below 1000.0"),
        ({"duplicates": 1}, "screening.duplicates: 1"),
        ({"exclude": "a/b"}, "screening.exclude: 'a/b'"),
        ({"weights_bytes": 1.5}, "screening.weights_bytes: 1.5"),
    ],
)
def test_wrong_settings_are_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(Screening, given, "pool.screening")


def test_settings_are_taken_over() -> None:
    screening = parse(Screening, {"norm_above": 2, "exclude": ["a/b"]}, "pool.screening")
    assert screening == Screening(norm_above=2.0, exclude=("a/b",))
    assert network_of({"endpoint": "x", "workers": 3}) == Network(workers=3)
