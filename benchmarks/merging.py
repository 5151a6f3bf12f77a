"""Static merging and similarity against peers and against what the machine can do.

    python benchmarks/merging.py [--threads 2] [--out benchmarks/out/merging.json]

One layer of Llama-3.1-8B (seven linear modules), K = 30 random bfloat16 LoRAs of ranks 8 to 64.
Peers and floors are timed in the same run as the project's functions. A floor is the least that
the task needs: its matrix products in float32 into warm memory, and one reading of the factors.

    python benchmarks/merging.py --whole ties --folder /tmp/pool

A whole model instead: 32 layers, adapters on disk (5 GB, written where the folder lacks them),
deltas made and dropped one after the other; time and memory.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
# Large allocations in huge pages, for peers and floors too; torch reads this when it is loaded.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

import torch  # noqa: E402
from peft.utils.merge_utils import ties as peft_ties  # noqa: E402

from recycling.lora.adapter import Adapter  # noqa: E402
from recycling.lora.export import save_adapter  # noqa: E402
from recycling.lora.lowrank import LowRank  # noqa: E402
from recycling.merge import average, merge_adapters, ties, tsv  # noqa: E402
from recycling.select.similarity import similarities  # noqa: E402

RANKS = (8, 16, 32, 64)
VECTORS = 8
K_PROJ, Q_PROJ = "self_attn.k_proj", "self_attn.q_proj"

Layer = dict[str, LowRank]


@dataclass(frozen=True)
class Size:
    """Widths of a layer, number of layers, number of adapters."""

    hidden: int
    key: int
    feed: int
    layers: int
    k: int

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Module -> (out, in)."""
        return {
            Q_PROJ: (self.hidden, self.hidden),
            K_PROJ: (self.key, self.hidden),
            "self_attn.v_proj": (self.key, self.hidden),
            "self_attn.o_proj": (self.hidden, self.hidden),
            "mlp.gate_proj": (self.feed, self.hidden),
            "mlp.up_proj": (self.feed, self.hidden),
            "mlp.down_proj": (self.hidden, self.feed),
        }

    def pool(self) -> list[Layer]:
        return [lora(self, seed) for seed in range(self.k)]


LLAMA_8B = Size(4096, 1024, 14336, layers=32, k=30)
TINY = Size(64, 32, 128, layers=2, k=8)


def lora(size: Size, seed: int, rank: int | None = None) -> Layer:
    """One random LoRA on every module of the layer, alpha = 2 r; ranks alternate."""
    rank = rank or RANKS[seed % len(RANKS)]
    generator = torch.Generator().manual_seed(seed)
    return {
        name: LowRank(
            torch.randn(rank, in_, generator=generator).mul(in_**-0.5).bfloat16(),
            torch.randn(out, rank, generator=generator).mul(0.01).bfloat16(),
            2.0,
        )
        for name, (out, in_) in size.shapes.items()
    }


def columns(loras: list[Layer]) -> list[list[LowRank]]:
    """The adapters' factors, module by module."""
    return [[one[name] for one in loras] for name in loras[0]]


def best(function: Callable[[], Any], times: int = 3) -> float:
    """Least seconds of several calls."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def wide(parts: list[LowRank]) -> tuple[torch.Tensor, torch.Tensor]:
    """All factors of a module in float32, concatenated: what a floor starts from."""
    A = torch.cat([part.A.float() for part in parts])
    B = torch.cat([part.B.float() for part in parts], dim=1)
    return A, B


def products(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """Seconds of one float32 matrix product a pair, into memory that is there already."""
    total = 0.0
    for left, right in pairs:
        out = torch.empty(left.shape[0], right.shape[1])
        total += best(lambda x=left, y=right, o=out: torch.mm(x, y, out=o))
    return total


def read(parts: list[LowRank]) -> float:
    """Seconds to widen the stored factors once: each entry read once, written once."""
    return best(lambda: [(part.A.float(), part.B.float()) for part in parts])


def average_dense(loras: list[Layer]) -> dict[str, float]:
    modules = columns(loras)

    def ours() -> None:
        for parts in modules:
            average.merge(parts).delta()  # type: ignore[union-attr]

    def sum_of_dense() -> None:
        for parts in modules:
            sum(part.delta(torch.bfloat16) / len(parts) for part in parts)

    floor = products([wide(parts)[::-1] for parts in modules])
    return {"ours": best(ours), "peer": best(sum_of_dense, 1), "floor": floor}


def average_factors(loras: list[Layer]) -> dict[str, float]:
    modules = columns(loras)

    def peft_cat() -> None:  # what PEFT's combination_type="cat" does with float32 adapters
        for parts in modules:
            torch.cat([part.A.float() * (part.scaling / len(parts)) for part in parts])
            torch.cat([part.B.float() for part in parts], dim=1)

    floor = sum(read(parts) for parts in modules)
    ours = best(lambda: [average.merge(parts) for parts in modules], 5)
    return {"ours": ours, "peer": best(peft_cat), "floor": floor}


def ties_one_module(loras: list[Layer]) -> dict[str, float]:
    parts = [one[K_PROJ] for one in loras]
    deltas = [part.delta() for part in parts]
    ours = best(lambda: ties.merge(parts))
    weights = torch.ones(len(parts))
    expected = peft_ties(deltas, weights, 0.2)
    error = (ties.merge(parts) - expected).norm() / expected.norm()
    return {
        "ours": ours,
        "peer": best(lambda: peft_ties(deltas, weights, 0.2), 1),
        "floor": products([(part.B.float(), part.A.float()) for part in parts]),
        "relative difference": float(error),
    }


def dense_svd_seconds(one: Layer) -> float:
    """A dense SVD of one adapter's layer: k_proj and q_proj timed, the others by out * in * min."""
    seconds = {
        name: best(lambda n=name: torch.linalg.svd(one[n].delta(), full_matrices=False), 1)  # type: ignore[misc]
        for name in (K_PROJ, Q_PROJ)
    }
    shapes = {name: (part.B.shape[0], part.A.shape[1]) for name, part in one.items()}
    work = {name: out * in_ * min(out, in_) for name, (out, in_) in shapes.items()}
    key = min(shapes[K_PROJ])
    like = {name: K_PROJ if min(shape) == key else Q_PROJ for name, shape in shapes.items()}
    return sum(seconds[like[name]] * work[name] / work[like[name]] for name in shapes)


def tsv_layer(loras: list[Layer], dense: bool) -> dict[str, float]:
    modules = columns(loras)

    def ours() -> None:
        for parts in modules:
            merged = tsv.merge(parts, VECTORS)
            if dense:
                merged.delta()  # type: ignore[union-attr]

    n = len(loras) * VECTORS
    floor = sum(read(parts) for parts in modules)
    for parts in modules:
        out, in_ = parts[0].B.shape[0], parts[0].A.shape[1]
        U, V, small = torch.randn(out, n), torch.randn(in_, n), torch.randn(n, n)
        floor += products([(U.T, U), (V.T, V), (U, small), (V, small)])
        floor += products([(U, V.T)]) if dense else 0.0
    return {"ours": best(ours), "floor": floor}


def cosine_pair(loras: list[Layer]) -> dict[str, float]:
    left, right = [one for one in loras if one[Q_PROJ].rank == max(RANKS)][:2]
    pairs = [(left[name], right[name]) for name in left]

    def dense() -> None:
        for a, b in pairs:
            torch.cosine_similarity(a.delta().view(1, -1), b.delta().view(1, -1))

    grams = [
        (first.T, second)
        for a, b in pairs
        for x, y in ((a, b), (a, a), (b, b))
        for first, second in ((x.A.float().T, y.A.float().T), (x.B.float(), y.B.float()))
    ]
    floor = products(grams) + sum(read(list(pair)) for pair in pairs)
    ours = best(lambda: similarities({"one": left}, {"two": right}, ["cosine"]), 9)
    return {"ours": ours, "peer": best(dense), "floor": floor}


def cosine_pool(size: Size, loras: list[Layer], targets: int = 62) -> dict[str, float]:
    """A batch of the pool against 62 targets, on one module: seconds a pair."""
    pool = {str(i): {Q_PROJ: one[Q_PROJ]} for i, one in enumerate(loras)}
    aims = {str(i): {Q_PROJ: lora(size, 1000 + i, 64)[Q_PROJ]} for i in range(targets)}
    (A, B), (C, D) = (
        wide([x[Q_PROJ] for x in pool.values()]),
        wide([x[Q_PROJ] for x in aims.values()]),
    )
    pairs = len(pool) * len(aims)
    floor = products([(A, C.T), (B.T, D)]) / pairs
    return {"ours": best(lambda: similarities(pool, aims, ["cosine"])) / pairs, "floor": floor}


def measure(size: Size, with_svd: bool) -> dict[str, dict[str, float]]:
    loras = size.pool()
    results = {
        "average, dense, layer": average_dense(loras),
        "average, factors, layer": average_factors(loras),
        "TIES 0.2, k_proj": ties_one_module(loras),
        "TSV, dense, layer": tsv_layer(loras, dense=True),
        "TSV, factors, layer": tsv_layer(loras, dense=False),
        "cosine, two LoRAs, layer": cosine_pair(loras),
        "cosine, 30 x 62, q_proj, a pair": cosine_pool(size, loras),
    }
    if with_svd:
        seconds = size.k * dense_svd_seconds(loras[0])
        for name in ("TSV, dense, layer", "TSV, factors, layer"):
            results[name]["peer"] = seconds
    return results


def table(results: dict[str, dict[str, float]]) -> str:
    lines = [
        "| operation | ours | peer | floor | peer / ours | ours / floor |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in results.items():
        peer = row.get("peer")
        cells = [name, spoken(row["ours"]), spoken(peer) if peer else "-", spoken(row["floor"])]
        cells += [
            f"{peer / row['ours']:,.1f}" if peer else "-",
            f"{row['ours'] / row['floor']:.2f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def spoken(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def write_pool(size: Size, folder: Path) -> None:
    """K adapters of the whole model; the layers of one share their random factors."""
    for seed in range(size.k):
        if not (folder / str(seed) / "adapter_config.json").exists():
            layer = lora(size, seed)
            factors = {
                f"model.layers.{i}.{name}": layer[name]
                for i in range(size.layers)
                for name in layer
            }
            save_adapter(folder / str(seed), factors, base_model="-", dtype=torch.bfloat16)


def whole_model(size: Size, method: str, folder: Path) -> dict[str, Any]:
    """Seconds to merge every module (low-rank results made dense in bfloat16), and peak memory."""
    write_pool(size, folder)
    pool = [Adapter.open(folder / str(seed)) for seed in range(size.k)]
    anonymous = 0
    start = time.perf_counter()
    for _, delta in merge_adapters(method, pool, {}):
        if isinstance(delta, LowRank):
            delta.delta(torch.bfloat16)
        status = Path("/proc/self/status").read_text()
        anonymous = max(anonymous, int(status.split("RssAnon:")[1].split()[0]))
    return {
        "method": method,
        "seconds": time.perf_counter() - start,
        "peak GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "GB without mapped files, between modules": anonymous / 2**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--no-svd", action="store_true", help="skip the dense SVDs (a minute or two)"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/out/merging.json")
    parser.add_argument("--whole", metavar="METHOD", help="merge a whole model with this method")
    parser.add_argument("--folder", type=Path, help="where the whole model's adapters are or go")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, to see that it runs")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    size = TINY if arguments.smoke else LLAMA_8B
    if arguments.whole:
        if not arguments.folder:
            parser.error("--whole needs --folder, where the adapters are or go")
        print(json.dumps(whole_model(size, arguments.whole, arguments.folder), indent=1))
        return
    results = measure(size, not arguments.no_svd)
    print(f"{arguments.threads} threads, torch {torch.__version__}\n\n{table(results)}\n")
    text = json.dumps({"threads": arguments.threads, "results": results}, indent=1)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
