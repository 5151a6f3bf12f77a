"""Time and memory of the pool stage: crawl and screen a loopback Hub of many candidates.

    python benchmarks/pool.py [--candidates 1000] [--layers 2] [--cores 2] [--out FILE]

The world: one adapter in four is odd (other base, DoRA, pickle, untrained, duplicate, ...), the
others are ordinary with all seven linear modules. With `--layers 32` headers are as long as a
7B model's. Client and server run on the same cores; memory is the client's peak.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASE = "small-org/base"
WIDTH, RANK = 16, 4
MODULES = [
    *(f"self_attn.{name}_proj" for name in "qkvo"),
    *(f"mlp.{name}_proj" for name in ("gate", "up", "down")),
]
ODD = {
    0: {"use_dora": True},
    1: {"base_model_name_or_path": "small-org/other"},
    2: {"task_type": "SEQ_CLS"},
    3: {"r": 8},
    4: {"lora_alpha": 1e-4},
    5: {"modules_to_save": ["lm_head"]},
}


def shapes_of(layers: int) -> dict[str, tuple[int, int]]:
    """The base's linear modules."""
    names = (f"model.layers.{layer}.{module}" for layer in range(layers) for module in MODULES)
    return dict.fromkeys(names, (WIDTH, WIDTH))


def lay_out(root: Path, candidates: int, layers: int) -> None:
    """Write the repositories that the server serves."""
    import numpy as np
    from safetensors.numpy import save

    from recycling.miniature.repositories import add_repo

    rng = np.random.default_rng(0)
    first: dict[str, bytes] = {}
    for number in range(candidates):
        tensors = {}
        for name in shapes_of(layers):
            for factor, shape in (("A", (RANK, WIDTH)), ("B", (WIDTH, RANK))):
                key = f"base_model.model.{name}.lora_{factor}.weight"
                tensors[key] = rng.normal(size=shape).astype(np.float32) * 0.3
        odd = number // 4 % 8 if number % 4 == 0 else None
        config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": RANK}
        config |= {"base_model_name_or_path": BASE} | ODD.get(-1 if odd is None else odd, {})
        files = {
            "adapter_config.json": json.dumps(config).encode(),
            "adapter_model.safetensors": save(tensors),
            "README.md": b"",
        }
        first = first or files
        if odd == 6:
            files["adapter_model.bin"] = files.pop("adapter_model.safetensors")
        if odd == 7:
            files["adapter_model.safetensors"] = first["adapter_model.safetensors"]
        card = {"base_model": BASE, "library_name": "peft", "license": "mit"}
        add_repo(root, "model", f"owner-{number % 97}/adapter-{number}", files, card=card)


def measure(url: str, folder: Path, shapes: dict[str, tuple[int, int]]) -> dict[str, float]:
    """Crawl, screen, and screen again; seconds, requests and megabytes."""
    from recycling.hub.client import Client
    from recycling.hub.crawl import find_candidates
    from recycling.hub.fetch import HubFiles
    from recycling.hub.manifest import write_pool
    from recycling.hub.pool_builder import build_pool
    from recycling.hub.settings import Network, Screening

    network = Network()
    pool = {"source": "crawl"}
    times = [time.perf_counter()]
    found = find_candidates(pool, BASE, endpoint=url, work=folder, network=network)
    times.append(time.perf_counter())
    for _ in range(2):
        with Client(url, network=network) as client:
            kept, rejected = build_pool(
                found,
                shapes,
                names=[BASE],
                files=HubFiles(client),
                folder=folder,
                settings=Screening(),
                workers=network.workers,
            )
        write_pool(folder, kept, rejected)
        times.append(time.perf_counter())
    crawl, screen, again = (stop - start for start, stop in pairwise(times))
    return {
        "candidates": len(found),
        "kept": len(kept),
        "crawl_s": round(crawl, 1),
        "screen_s": round(screen, 1),
        "again_s": round(again, 1),
        "cpu_s": round(time.process_time(), 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--smoke", action="store_true", help="few candidates, to see that it runs")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/out/pool.json")
    parser.add_argument("--lay-out", type=Path, help="only write the repositories there")
    args = parser.parse_args()
    if args.smoke:
        args.candidates = 40
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path.insert(0, str(ROOT / "scripts"))
    if args.lay_out:
        lay_out(args.lay_out, args.candidates, args.layers)
        return
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "hub"
        # in a process of its own, so that its memory does not count
        size = [f"--candidates={args.candidates}", f"--layers={args.layers}"]
        subprocess.run([sys.executable, __file__, *size, "--lay-out", str(root)], check=True)
        from recycling.hub.endpoint import hub_endpoint

        command = ["python", str(ROOT / "scripts" / "loopback_hub.py"), str(root)]
        with hub_endpoint({"server": command}) as url:
            results = measure(url, Path(temporary) / "pool", shapes_of(args.layers))
    print(json.dumps(results))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
