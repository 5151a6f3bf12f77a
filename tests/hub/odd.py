"""Odd adapters as found on the Hub, and the verdict that each must get.

`ODD` maps a repository's name to (verdict, files, options of add_repo). `kept` is a verdict too:
an oddity that the filter must accept.
"""

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save
from safetensors.torch import save as save_torch
from tests.hub.adapters import adapter, config, tensors

PREFIX = "base_model.model."
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
Q = f"{PREFIX}model.layers.0.self_attn.q_proj"
ODD: dict[str, tuple[str, dict[str, bytes], dict[str, Any]]] = {}
_seed = iter(range(1000, 9999))


def odd(name: str, verdict: str, files: Mapping[str, bytes], **options: Any) -> None:
    ODD[f"odd/{name}"] = (verdict, dict(files), options)


def weights(
    change: Callable[[dict[str, np.ndarray]], Any] | None = None, rank: int = 4, **ranks: int
):
    original = tensors(next(_seed), rank, **ranks)
    changed = change(original) if change else None
    return original if changed is None else changed


def changed(change: Callable[[dict[str, np.ndarray]], Any], **settings: Any) -> dict[str, bytes]:
    return adapter(weights=weights(change), **settings)


def plain(**settings: Any) -> dict[str, bytes]:
    return adapter(weights=weights(), **settings)


def renamed(rename: Callable[[str], str]) -> dict[str, bytes]:
    return changed(lambda tensors: {rename(name): value for name, value in tensors.items()})


def with_config(content: bytes) -> dict[str, bytes]:
    return {**plain(), CONFIG: content}


def with_weights(content: bytes) -> dict[str, bytes]:
    return {**plain(), WEIGHTS: content}


def stored_as(dtype: torch.dtype) -> dict[str, bytes]:
    stored = {name: torch.from_numpy(value).to(dtype) for name, value in weights().items()}
    return with_weights(save_torch(stored))


def only(*names: str) -> dict[str, bytes]:
    files = plain()
    return {name: files.get(name, b"x" * 50) for name in names}


def header_of(entries: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def as_bytes(content: Any, encoding: str = "utf-8") -> bytes:
    return json.dumps(content, ensure_ascii=False).encode(encoding)


# ---- the listing
odd("gated", "gated", plain(), gated="manual")
odd("deleted", "gone", plain(), missing=True)
odd("disabled", "disabled", plain(), disabled=True)
odd("empty", "no_weights", {})
odd("only-readme", "no_weights", {"README.md": b"soon"})
odd("full-model", "no_weights", {"model.safetensors": b"1234", "config.json": b"{}"})
odd("pickle", "pickle_only", only("README.md", CONFIG, "adapter_model.bin"))
odd("pickle-model", "pickle_only", only(CONFIG, "pytorch_model.bin", "training_args.bin"))
odd(
    "sharded",
    "sharded",
    only(
        CONFIG,
        "adapter_model-00001-of-00002.safetensors",
        "adapter_model-00002-of-00002.safetensors",
        "adapter_model.safetensors.index.json",
    ),
)
odd("checkpoint", "in_subfolder", {f"checkpoint-5/{k}": v for k, v in plain().items()})
odd("no-config", "no_config", only("README.md", WEIGHTS))
odd("config-below", "no_config", {"sub/adapter_config.json": b"{}", WEIGHTS: plain()[WEIGHTS]})
odd("empty-config", "config_size", with_config(b""))
odd("huge-config", "config_size", with_config(b" " * 20_000 + as_bytes(config())))
odd("empty-weights", "weights_size", with_weights(b""))
odd("huge-weights", "weights_size", with_weights(b"\0" * 60_000))
odd("climbing-file", "in_subfolder", {"../../adapter_model.safetensors": b"x", CONFIG: b"{}"})
odd("absolute-file", "in_subfolder", {"/tmp/adapter_model.safetensors": b"x", CONFIG: b"{}"})
odd("many-files", "kept", plain() | {f"adapter_{n:04}.json": b"{}" for n in range(300)})
odd("strange-files", "kept", plain() | {"<script>alert(1)</script>\n.md": b"", "a\tb.txt": b""})

# ---- the config's text
odd("latin-1", "config_encoding", with_config(as_bytes(config(note="café"), "latin-1")))
odd("utf-16", "config_encoding", with_config(as_bytes(config(), "utf-16")))
odd("byte-order-mark", "config_encoding", with_config(b"\xef\xbb\xbf" + as_bytes(config())))
odd("cut-config", "config_malformed", with_config(as_bytes(config())[:-20]))
odd("python-config", "config_malformed", with_config(str(config()).encode()))
odd("list-config", "config_malformed", with_config(as_bytes([config()])))
odd("nan-config", "config_malformed", with_config(b'{"peft_type": "LORA", "r": NaN}'))
odd("deep-config", "config_malformed", with_config(b"[" * 9_000 + b"]" * 9_000))
odd(
    "doubled-key",
    "config_malformed",
    with_config(b'{"r": 4, ' + as_bytes(config())[1:]),
)

# ---- the config's options
odd("ia3", "not_lora", plain(peft_type="IA3"))
odd("lower-case-type", "not_lora", plain(peft_type="lora"))
odd("adalora", "not_lora", plain(peft_type="ADALORA"))
odd("classifier", "not_causal_lm", plain(task_type="SEQ_CLS"))
odd("no-task", "not_causal_lm", plain(task_type=None))
odd("other-base", "other_base", plain(base_model_name_or_path="small-org/base-2"))
odd("longer-base-name", "other_base", plain(base_model_name_or_path="small-org/base-instruct"))
odd("other-case-base", "other_base", plain(base_model_name_or_path="Small-Org/base"))
odd("quantised-copy", "kept", plain(base_model_name_or_path="mirror/base-bnb-4bit"))
odd("unlisted-copy", "other_base", plain(base_model_name_or_path="stranger/base-gptq"))
odd("local-base", "unstated_base", plain(base_model_name_or_path="/root/models/base"))
odd("windows-base", "unstated_base", plain(base_model_name_or_path="C:\\models\\base"))
odd("null-base", "unstated_base", plain(base_model_name_or_path=None))
odd("text-rank", "bad_rank", plain(r="4"))
odd("null-rank", "bad_rank", plain(r=None))
odd("zero-rank", "bad_rank", plain(r=0))
odd("true-rank", "bad_rank", plain(r=True))
odd("fraction-rank", "bad_rank", plain(r=4.0))
odd("text-alpha", "bad_alpha", plain(lora_alpha="16"))
odd("null-alpha", "bad_alpha", plain(lora_alpha=None))
odd("zero-alpha", "bad_alpha", plain(lora_alpha=0))
odd("negative-alpha", "bad_alpha", plain(lora_alpha=-8))
odd("fraction-alpha", "kept", plain(lora_alpha=7.5))
odd("text-rslora", "bad_option", plain(use_rslora="yes"))
odd("list-pattern", "bad_option", plain(alpha_pattern=["q_proj"]))
odd("dora", "dora", plain(use_dora=True))
odd("bias", "bias", plain(bias="lora_only"))
odd("lora-bias", "bias", plain(lora_bias=True))
odd("saved-modules", "modules_to_save", plain(modules_to_save=["lm_head"]))
odd("replicated", "layer_replication", plain(layer_replication=[[0, 2], [1, 2]]))
odd("parameters", "target_parameters", plain(target_parameters=["mlp.experts.down_proj"]))
odd("tokens", "trainable_tokens", plain(trainable_token_indices=[0, 3]))
odd("pissa", "init_method", plain(init_lora_weights="pissa_niter_4"))
odd("olora", "init_method", plain(init_lora_weights="olora"))
odd("loftq", "init_method", plain(init_lora_weights="loftq", loftq_config={"loftq_bits": 4}))
odd("eva", "init_method", plain(eva_config={"rho": 2.0}))
odd("gaussian", "kept", plain(init_lora_weights="gaussian"))
odd("qalora", "special_option", plain(use_qalora=True, qalora_group_size=8))
odd("arrow-router", "special_option", plain(arrow_config={"top_k": 3}))
odd("fan-in", "special_option", plain(fan_in_fan_out=True))
odd("future-option", "unknown_option", plain(use_quaternions=True))
odd("future-option-off", "kept", plain(use_quaternions=False, hyper_config=None))
odd("layers", "kept", plain(layers_to_transform=[0], exclude_modules=["q_proj"]))
odd("all-linear", "kept", plain(target_modules="all-linear"))
odd("regex-target", "kept", plain(target_modules=r".*\.(q|v)_proj"))
odd("evil-pattern", "unsupported_pattern", plain(alpha_pattern={"(a+)+x": 4}))
odd("bad-pattern-rank", "bad_rank", plain(rank_pattern={"q_proj": "8"}))

# ---- scaling and ranks
odd("rslora", "kept", plain(use_rslora=True))
odd("alpha-pattern", "kept", plain(alpha_pattern={"layers.0.self_attn.q_proj": 32}))
odd(
    "rank-pattern",
    "kept",
    adapter(weights=weights(q_proj=8), rank_pattern={"q_proj": 8}),
)
odd("rank-pattern-lies", "rank_mismatch", plain(rank_pattern={"q_proj": 8}))
odd("other-rank", "rank_mismatch", adapter(weights=weights(rank=8)))
odd("mixed-ranks", "rank_mismatch", adapter(weights=weights(v_proj=2)))

# ---- the header
odd(
    "pointer",
    "lfs_pointer",
    with_weights(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"),
)
odd("html", "header_malformed", with_weights(b"<!doctype html><title>Sign in</title>" * 9))
odd("tiny", "header_malformed", with_weights(b"abc"))
odd("pickle-inside", "header_malformed", with_weights(b"\x80\x04\x95" + b"\0" * 90))
odd("bad-json", "header_malformed", with_weights(struct.pack("<Q", 12) + b'{"a": [1, 2,'))
odd("list-header", "header_malformed", with_weights(header_of([1, 2])))
odd("long-header", "truncated", with_weights(header_of({}, length=1 << 20)))
odd("over-limit-header", "header_malformed", with_weights(header_of({}, b" " * 40_000, 35_000)))
odd("endless-header", "header_malformed", with_weights(header_of({}, length=(1 << 63) + 1)))
odd("cut-weights", "truncated", with_weights(plain()[WEIGHTS][:-100]))
odd("longer-weights", "truncated", with_weights(plain()[WEIGHTS] + b"\0" * 8))
GAP = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}
odd("gap", "header_malformed", with_weights(header_of(GAP, b"\0" * 8)))
LIAR = {"a": {"dtype": "F32", "shape": [9, 9], "data_offsets": [0, 8]}}
odd("lying-shape", "header_malformed", with_weights(header_of(LIAR, b"\0" * 8)))
odd("no-tensors", "no_tensors", with_weights(save({})))
odd("no-prefix", "key_prefix", renamed(lambda name: name.removeprefix(PREFIX)))
odd("doubled-prefix", "key_prefix", renamed(lambda name: PREFIX + name))
odd(
    "language-model-prefix",
    "key_prefix",
    renamed(lambda name: name.replace(PREFIX, f"{PREFIX}language_model.")),
)
odd("default-keys", "kept", renamed(lambda name: name.replace(".weight", ".default.weight")))
odd(
    "both-spellings",
    "doubled_pairs",
    changed(lambda t: t.update({f"{Q}.lora_A.default.weight": t[f"{Q}.lora_A.weight"]})),
)
odd("fused-qkv", "unknown_module", renamed(lambda name: name.replace("q_proj", "qkv_proj")))
odd("more-layers", "unknown_module", renamed(lambda name: name.replace("layers.1", "layers.31")))
HEAD = f"{PREFIX}lm_head.lora_A.weight"
odd("head", "embedding_or_head", changed(lambda t: t.update({HEAD: np.ones((4, 16), np.float32)})))
EMBED = f"{PREFIX}model.embed_tokens.weight"
odd(
    "resized-embeddings",
    "embedding_or_head",
    changed(lambda t: t.update({EMBED: np.ones((9, 16), np.float32)})),
)
odd(
    "magnitudes",
    "dora",
    changed(lambda t: t.update({f"{Q}.lora_magnitude_vector": np.ones(16, np.float32)})),
)
odd("trained-bias", "bias", changed(lambda t: t.update({f"{Q}.bias": np.ones(16, np.float32)})))
odd("stray", "unknown_tensor", changed(lambda t: t.update({"step": np.ones(1, np.float32)})))
odd("no-b", "incomplete_pairs", changed(lambda t: t.__delitem__(f"{Q}.lora_B.weight")))
odd("no-a", "incomplete_pairs", changed(lambda t: t.__delitem__(f"{Q}.lora_A.weight")))
odd(
    "empty-b",
    "wrong_shape",
    changed(lambda t: t.update({f"{Q}.lora_B.weight": np.ones((0, 4), np.float32)})),
)
odd(
    "int8",
    "not_float",
    changed(lambda t: {name: (value * 40).astype(np.int8) for name, value in t.items()}),
)
odd("float8", "not_float", stored_as(torch.float8_e4m3fn))
odd("half", "kept", changed(lambda t: {k: v.astype(np.float16) for k, v in t.items()}))
odd("bfloat", "kept", stored_as(torch.bfloat16))
odd("double", "kept", changed(lambda t: {k: v.astype(np.float64) for k, v in t.items()}))
WIDE = {f"{Q}.lora_A.weight": (4, 32), f"{Q}.lora_B.weight": (32, 4)}
odd(
    "wider-base",
    "wrong_shape",
    changed(lambda t: t.update({name: np.ones(shape, np.float32) for name, shape in WIDE.items()})),
)
odd(
    "transposed",
    "wrong_shape",
    changed(lambda t: {k: np.ascontiguousarray(v.T) for k, v in t.items()}),
)
odd("vectors", "wrong_shape", changed(lambda t: {k: v.ravel() for k, v in t.items()}))
odd(
    "attention-only",
    "kept",
    changed(lambda t: {k: v for k, v in t.items() if "self_attn" in k}),
)
odd("one-module", "kept", changed(lambda t: {k: v for k, v in t.items() if k.startswith(Q + ".")}))

# ---- the weights
odd("nan", "not_finite", changed(lambda t: t[f"{Q}.lora_A.weight"].__setitem__((0, 0), np.nan)))
odd("inf", "not_finite", changed(lambda t: t[f"{Q}.lora_B.weight"].__setitem__((1, 1), -np.inf)))
odd(
    "untrained",
    "untrained",
    changed(lambda t: {k: v * ("lora_A" in k) for k, v in t.items()}),
)
odd("faint", "norm_too_small", changed(lambda t: {k: v * 0.1 for k, v in t.items()}))
odd("exploded", "norm_too_large", changed(lambda t: {k: v * 20 for k, v in t.items()}))
odd("tiny-alpha", "norm_too_small", plain(lora_alpha=0.01))
odd("huge-alpha", "norm_too_large", plain(lora_alpha=100_000))
_original = plain()
odd("original", "kept", _original, created="2024-01-01T00:00:00.000Z")
odd("re-upload", "duplicate", _original)
odd("re-upload-other-alpha", "duplicate", {**_original, CONFIG: as_bytes(config(lora_alpha=9))})
_again = weights()
odd("saved-first", "kept", adapter(weights=_again), created="2024-01-01T00:00:00.000Z")
odd("saved-again", "duplicate", {**adapter(), WEIGHTS: save(_again, {"by": "a stranger"})})
odd(
    "saved-wider",
    "duplicate",
    adapter(weights={k: v.astype(np.float64) for k, v in _again.items()}),
)
odd(
    "faint-original-other-alpha",
    "kept",
    adapter(weights=weights(), lora_alpha=16),
    created="2024-01-01T00:00:00.000Z",
)
