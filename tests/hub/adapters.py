"""A small base model, adapters of it that can be made odd, and a Hub that serves them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from recycling.files import read_tsv
from recycling.hub.candidates import Candidate
from recycling.hub.manifest import write_pool
from recycling.hub.settings import Network, Screening
from recycling.miniature.loopback import Loopback, add_repo
from recycling.settings import parse

BASE = "small-org/base"
ALIAS = "mirror/base-bnb-4bit"
QUICK = Network(workers=4, timeout=1.0, attempts=4)
HIDDEN, MIDDLE = 16, 24
SHAPES = {
    f"model.layers.{layer}.{module}": shape
    for layer in range(2)
    for module, shape in {
        "self_attn.q_proj": (HIDDEN, HIDDEN),
        "self_attn.v_proj": (HIDDEN // 2, HIDDEN),
        "mlp.down_proj": (HIDDEN, MIDDLE),
    }.items()
}


def config(**changes: Any) -> dict[str, Any]:
    """An ordinary adapter_config.json, as PEFT writes it."""
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": BASE,
        "r": 4,
        "lora_alpha": 8,
        "lora_dropout": 0.05,
        "bias": "none",
        "use_dora": False,
        "use_rslora": False,
        "modules_to_save": None,
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "inference_mode": True,
        "rank_pattern": {},
        "alpha_pattern": {},
        "target_modules": ["q_proj", "v_proj", "down_proj"],
        "layers_to_transform": None,
        "loftq_config": {},
        "megatron_config": None,
        "megatron_core": "megatron.core",
        "peft_version": "0.15.0",
        **changes,
    }


def tensors(seed: int = 0, rank: int = 4, **ranks: int) -> dict[str, np.ndarray]:
    """A/B pairs of all modules; the total norm of alpha/r * BA is about 10 to 20."""
    rng = np.random.default_rng(seed)
    factors = {}
    for module, (out, in_) in SHAPES.items():
        r = ranks.get(module.rsplit(".", 1)[-1], rank)
        stem = f"base_model.model.{module}"
        factors[f"{stem}.lora_A.weight"] = rng.normal(size=(r, in_)).astype(np.float32) * 0.2
        factors[f"{stem}.lora_B.weight"] = rng.normal(size=(out, r)).astype(np.float32) * 0.5
    return factors


def adapter(
    seed: int = 0, weights: Mapping[str, np.ndarray] | None = None, **changes: Any
) -> dict[str, bytes]:
    """The files of an ordinary adapter repository."""
    return {
        "README.md": b"---\nlicense: mit\n---\nan adapter\n",
        "adapter_config.json": json.dumps(config(**changes)).encode(),
        "adapter_model.safetensors": save(dict(weights or tensors(seed)), {"format": "pt"}),
    }


class World:
    """A folder of repositories, and the loopback Hub that serves it."""

    def __init__(self, root: Path, hub: Loopback) -> None:
        self.root = root
        self.hub = hub

    def add(
        self,
        repo_id: str,
        files: Mapping[str, bytes] | None = None,
        base: str = BASE,
        **kwargs: Any,
    ) -> str:
        """Add an adapter; without `files`, an ordinary one with weights of its own."""
        if files is None:
            files = adapter(seed=sum(repo_id.encode()))
        card = {"base_model": base, "library_name": "peft"}
        return add_repo(
            self.root, "model", repo_id, files, **{"card": card, "license": "mit", **kwargs}
        )

    def crawl(self, out: Path, network: Network = QUICK, **pool: Any) -> list[Candidate]:
        from recycling.hub.crawl import find_candidates

        return find_candidates(
            {"source": "crawl", **pool}, BASE, endpoint=self.hub.url, work=out, network=network
        )

    def pool(
        self,
        out: Path,
        candidates: list[Candidate] | None = None,
        network: Network = QUICK,
        **pool: Any,
    ) -> dict[str, dict[str, str]]:
        """Crawl and screen; rows of pool.tsv and rejected.tsv (with a reason) by repository."""
        from recycling.hub.client import Client
        from recycling.hub.fetch import HubFiles, LocalFiles
        from recycling.hub.pool_builder import build_pool

        if candidates is None:
            candidates = self.crawl(out, network, **pool)
        with Client(self.hub.url, network=network) as client:
            local = pool.get("source") == "folder"
            kept, rejected = build_pool(
                candidates,
                SHAPES,
                names=[BASE, *pool.get("aliases", ())],
                files=LocalFiles(pool["folder"]) if local else HubFiles(client),
                folder=out,
                settings=parse(Screening, pool.get("screening") or {}, "pool.screening"),
                workers=network.workers,
            )
        write_pool(out, kept, rejected)
        return rows(out)


def rows(folder: Path) -> dict[str, dict[str, str]]:
    """pool.tsv and rejected.tsv by repository; every repository is in one of them only."""
    both = read_tsv(folder / "pool.tsv") + read_tsv(folder / "rejected.tsv")
    by_name = {row["repo_id"]: row for row in both}
    assert len(by_name) == len(both)
    return by_name


def reason(row: Mapping[str, str]) -> str:
    """The reason of a rejected row; `kept` for a row of the pool."""
    return row.get("reason", "kept")
