"""Tuning coefficients in the small world: transformers' Trainer against a loop, and two layers.

    python benchmarks/tuning.py [--times 5] [--out benchmarks/out/tuning.json]

One thread, CPU seconds: a Llama of 0.58 million parameters, K = 20 random LoRAs of ranks 4 to 32 on
all seven modules, 100 steps of 8 examples of about 15 tokens, 11 validations on 20 examples. The
variants take turns, and the least time of each counts.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import torch  # noqa: E402
from torch import nn  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

from recycling.adapt.coefficients import Coefficients  # noqa: E402
from recycling.adapt.fit import fit  # noqa: E402
from recycling.adapt.layer import DENSE_LIMIT, attached  # noqa: E402
from recycling.adapt.training import (  # noqa: E402
    Encoded,
    Training,
    batches,
    collate,
    loss,
)
from recycling.lora.lowrank import LowRank  # noqa: E402


def small_world() -> nn.Module:
    config = LlamaConfig(
        vocab_size=100,
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=3,
        num_attention_heads=8,
        num_key_value_heads=8,
        max_position_embeddings=64,
        initializer_range=0.06,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def loras(model: nn.Module, ranks: list[int]) -> list[dict[str, LowRank]]:
    """Random adapters on every linear module of the layers."""
    modules = {
        name: module.weight
        for name, module in sorted(model.named_modules())
        if isinstance(module, nn.Linear) and "lm_head" not in name
    }
    return [
        {
            name: LowRank(
                torch.randn(rank, weight.shape[1]).mul(0.02),
                torch.randn(weight.shape[0], rank).mul(0.02),
                2.0,
            )
            for name, weight in modules.items()
        }
        for rank in ranks
    ]


def coefficients_of(adapters: list[dict[str, LowRank]]) -> Coefficients:
    return Coefficients(
        adapters,
        granularity="module",
        activation="leaky_relu",
        init="equal",
        seed=0,
        target=None,
    )


def examples(count: int) -> list[Encoded]:
    drawn = []
    for length in torch.randint(12, 18, (count,)).tolist():
        ids = torch.randint(0, 100, (length,)).tolist()
        drawn.append({"input_ids": ids, "labels": [-100] * (length - 2) + ids[-2:]})
    return drawn


def plain_loop(
    model: nn.Module,
    adapters: list[dict[str, LowRank]],
    train: list[Encoded],
    validation: list[Encoded],
    steps: int,
) -> None:
    """The same training without a Trainer."""
    coefficients, held_out = coefficients_of(adapters), batches(validation)
    with attached(model, adapters, coefficients) as adaptive:
        optimiser = torch.optim.AdamW(coefficients.parameters(), lr=5e-2, weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser,
            lambda t: t / 10 if t < 10 else 0.5 * (1 + math.cos(math.pi * (t - 10) / (steps - 10))),
        )
        lowest, kept = math.inf, coefficients.raw.detach().clone()
        order: list[int] = []
        for step_ in range(steps + 1):
            if step_ % 10 == 0:
                value = loss(adaptive, held_out)
                if value < lowest:
                    lowest, kept = value, coefficients.raw.detach().clone()
            if step_ == steps:
                break
            order = order if len(order) >= 8 else torch.randperm(80).tolist()
            adaptive(**collate([train[i] for i in order[:8]])).loss.backward()
            order = order[8:]
            torch.nn.utils.clip_grad_norm_(coefficients.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
        coefficients.raw.data.copy_(kept)


def tuning(times: int, k: int, steps: int) -> dict[str, float]:
    """CPU seconds of one tuning in the small world: ranks 4 to 32, all modules."""
    model = small_world()
    adapters = loras(model, [2 ** (2 + i % 4) for i in range(k)])
    train, validation = examples(80), examples(20)

    def trainer(dense_limit: int) -> None:
        with attached(model, adapters, coefficients_of(adapters), dense_limit) as adaptive:
            fit(adaptive, train, validation, Training(lr=5e-2, steps=steps), 0)

    functions: dict[str, Callable[[], None]] = {
        "Trainer": lambda: trainer(DENSE_LIMIT),
        "Trainer, factors only": lambda: trainer(0),
        "loop": lambda: plain_loop(model, adapters, train, validation, steps),
    }
    seconds = dict.fromkeys(functions, math.inf)
    for turn in range(times + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            if turn:
                seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/out/tuning.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    times, k, steps = (1, 2, 12) if arguments.smoke else (arguments.times, 20, 100)
    results = tuning(times, k, steps)
    print("| tuning in the small world | CPU seconds |\n|---|---|")
    for name, seconds in results.items():
        print(f"| {name} | {seconds:.2f} |")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
