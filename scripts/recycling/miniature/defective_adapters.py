"""Defective public adapters as found on the Hub, made from healthy ones.

Each states the reason (`recycling.hub.reasons`) that the screening must give.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
Files = dict[str, bytes]
Change = Callable[[Files], Files]


@dataclass(frozen=True)
class Defect:
    """A repository that the screening must reject.

    make: a healthy adapter's files -> this repository's files. flags: arguments of `add_repo`.
    """

    repo_id: str
    reason: str
    make: Change = dict
    flags: Mapping[str, Any] = field(default_factory=dict)


def configured(**changes: Any) -> Change:
    """Change keys of adapter_config.json."""

    def change(files: Files) -> Files:
        config = json.loads(files[CONFIG]) | changes
        return {**files, CONFIG: json.dumps(config, indent=1).encode()}

    return change


def reweighted(change_tensors: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Change:
    """Change the tensors, a mapping by name."""

    def change(files: Files) -> Files:
        tensors = change_tensors(load(files[WEIGHTS]))
        whole = {name: tensor.contiguous() for name, tensor in sorted(tensors.items())}
        return {**files, WEIGHTS: save(whole, metadata={"format": "pt"})}

    return change


def each(pattern: str, action: Callable[[Tensor], Tensor]) -> Change:
    """Change the tensors whose name contains `pattern`."""
    return reweighted(
        lambda tensors: {
            name: action(tensor) if pattern in name else tensor for name, tensor in tensors.items()
        }
    )


def _renamed(old: str, new: str) -> Change:
    return reweighted(lambda tensors: {n.replace(old, new): t for n, t in tensors.items()})


def _moved(target: str) -> Change:
    """Move all files to the folder `target` ("checkpoint..."), or rename the weights to it."""
    return lambda files: {
        (
            f"{target}/{path}"
            if target.startswith("checkpoint")
            else target
            if path == WEIGHTS
            else path
        ): content
        for path, content in files.items()
    }


def _one_nan(tensor: Tensor) -> Tensor:
    changed = tensor.clone()
    changed[0, 0] = float("nan")
    return changed


def _wider(tensor: Tensor) -> Tensor:
    """A matrix for a base of 1.5 times the width."""
    return torch.cat([tensor, tensor[:, : tensor.shape[1] // 2]], dim=1)


def _dora(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    magnitudes = {
        name.replace("lora_B.weight", "lora_magnitude_vector"): torch.ones(tensor.shape[0])
        for name, tensor in tensors.items()
        if "lora_B" in name
    }
    return tensors | magnitudes


def _without_last(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    last = max(name for name in tensors if "lora_B" in name)
    return {name: tensor for name, tensor in tensors.items() if name != last}


def _with_head(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"base_model.model.lm_head.weight": torch.zeros(104, 128)}


def _pickle_only(files: Files) -> Files:
    # The file is never opened, so its bytes need not be a valid pickle.
    return {CONFIG: files[CONFIG], "adapter_model.bin": b"\x80\x04N." + bytes(2000)}


def _pointer(files: Files) -> Files:
    size = len(files[WEIGHTS])
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize {size}\n"
    return {**files, WEIGHTS: text.encode()}


def _sharded(files: Files) -> Files:
    half = len(files[WEIGHTS]) // 2
    return {
        CONFIG: files[CONFIG],
        "adapter_model-00001-of-00002.safetensors": files[WEIGHTS][:half],
        "adapter_model-00002-of-00002.safetensors": files[WEIGHTS][half:],
        "adapter_model.safetensors.index.json": b"{}",
    }


def defects() -> tuple[Defect, ...]:
    """All defective adapters, in a fixed order."""
    return (
        Defect(
            "amber-otter/tiny-dora",
            "dora",
            lambda f: reweighted(_dora)(configured(use_dora=True)(f)),
        ),
        Defect("hal-nine/tiny-pickled", "pickle_only", _pickle_only),
        Defect(
            "hal-nine/tiny-cut-short", "truncated", lambda f: {**f, WEIGHTS: f[WEIGHTS][:-4096]}
        ),
        Defect("bluefinch/tiny-no-lfs", "lfs_pointer", _pointer),
        Defect("cedarworks/tiny-step-0", "untrained", each("lora_B", torch.zeros_like)),
        Defect("dune-lab/tiny-diverged", "not_finite", each("layers.0", _one_nan)),
        Defect("elmstreet/wide-by-mistake", "wrong_shape", each("lora_A", _wider)),
        Defect(
            "foxglove/tiny-new-tokens", "modules_to_save", configured(modules_to_save=["lm_head"])
        ),
        Defect("foxglove/tiny-half", "incomplete_pairs", reweighted(_without_last)),
        Defect("gneiss/tiny-by-request", "gated", flags={"gated": "manual"}),
        Defect("gneiss/tiny-deleted", "gone", flags={"missing": True}),
        Defect("hal-nine/tiny-disabled", "disabled", flags={"disabled": True}),
        Defect("juniper/tiny-with-head", "embedding_or_head", reweighted(_with_head)),
        Defect("juniper/tiny-biased", "bias", configured(bias="lora_only")),
        Defect("kestrel/tiny-judge", "not_causal_lm", configured(task_type="SEQ_CLS")),
        Defect("kestrel/tiny-int8", "not_float", each("lora_", lambda t: t.mul(64).to(torch.int8))),
        Defect("larkspur/tiny-from-tomorrow", "unknown_option", configured(use_hyper_lora=True)),
        Defect("mirror-bot/tiny-reupload", "duplicate"),
        Defect("larkspur/tiny-exploded", "norm_too_large", each("lora_B", lambda t: t * 3000)),
        Defect("larkspur/tiny-one-step", "norm_too_small", each("lora_B", lambda t: t * 1e-4)),
        Defect("dune-lab/tiny-wrong-rank", "rank_mismatch", configured(r=64)),
        Defect("elmstreet/tiny-checkpoints", "in_subfolder", _moved("checkpoint-100")),
        Defect("nettle/tiny-sharded", "sharded", _sharded),
        Defect(
            "nettle/tiny-notepad",
            "config_encoding",
            lambda f: {**f, CONFIG: f[CONFIG].decode().encode("utf-16")},
        ),
        Defect(
            "nettle/tiny-trailing-comma",
            "config_malformed",
            lambda f: {**f, CONFIG: f[CONFIG][:-2] + b",}"},
        ),
        Defect("juniper/tiny-coming-soon", "no_weights", lambda f: {CONFIG: f[CONFIG]}),
        Defect("cedarworks/tiny-pissa", "init_method", configured(init_lora_weights="pissa")),
        Defect(
            "bluefinch/not-quite-tiny",
            "other_base",
            configured(base_model_name_or_path="recycling/tiny-instruct"),
        ),
        Defect(
            "kestrel/tiny-local",
            "unstated_base",
            configured(base_model_name_or_path="/workspace/tiny"),
        ),
        Defect(
            "amber-otter/tiny-no-prefix",
            "key_prefix",
            _renamed("base_model.model.", ""),
        ),
        Defect("amber-otter/tiny-ia3", "not_lora", configured(peft_type="IA3")),
        Defect("nettle/tiny-null-alpha", "bad_alpha", configured(lora_alpha=None)),
        Defect(
            "hal-nine/tiny-layerwise", "per_module_ranks", configured(rank_pattern={"q_proj": 4})
        ),
        Defect(
            "larkspur/tiny-stacked",
            "layer_replication",
            configured(layer_replication=[[0, 2], [1, 3]]),
        ),
    )
