"""Tiny models of two architectures, adapters of mixed ranks and modules, and a slow reference."""

import copy
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recycling.lora.lowrank import LowRank

torch.set_num_threads(1)

SIZES = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    "initializer_range": 0.3,
}


def llama() -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=True))


def qwen() -> nn.Module:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=8, attention_bias=True))


@pytest.fixture(params=[llama, qwen], ids=["llama", "qwen"])
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return request.param().eval()


@pytest.fixture
def tiny() -> nn.Module:
    """One architecture, where both would show the same."""
    torch.manual_seed(0)
    return llama().eval()


# rank, scaling, last parts of the module names: mixed ranks, rsLoRA's scaling, modules that lack
RECIPES = (
    (2, 8 / 2, ("q_proj", "v_proj")),
    (4, 8 / 4**0.5, ("q_proj", "k_proj", "v_proj", "o_proj")),
    (1, 1.5, ("gate_proj", "up_proj", "down_proj")),
    (3, 2.0, ("q_proj", "v_proj", "down_proj")),
)


class Named(dict[str, LowRank]):
    name = ""


def make_adapters(model: nn.Module, recipes: Sequence[Any] = RECIPES) -> list[Named]:
    generator = torch.Generator().manual_seed(5)
    adapters = []
    for i, (rank, scaling, parts) in enumerate(recipes):
        adapter = Named()
        adapter.name = f"someone/adapter-{i}"
        for name, module in sorted(model.named_modules()):
            if isinstance(module, nn.Linear) and name.rpartition(".")[2] in parts:
                a = torch.randn(rank, module.in_features, generator=generator) * 0.3
                b = torch.randn(module.out_features, rank, generator=generator) * 0.3
                adapter[name] = LowRank(a, b, scaling)
        adapters.append(adapter)
    return adapters


@pytest.fixture
def adapters_of() -> Callable[..., list[Named]]:
    return make_adapters


def make_examples(count: int, seed: int, *, answer: int = 0) -> list[dict[str, list[int]]]:
    """Random tokens; the answer is one to three tokens, or always the token `answer`."""
    rng = random.Random(seed)
    examples = []
    for _ in range(count):
        prompt = [rng.randrange(40) for _ in range(rng.randint(3, 7))]
        tokens = [answer] if answer else [rng.randrange(40) for _ in range(rng.randint(1, 3))]
        examples.append({"input_ids": prompt + tokens, "labels": [-100] * len(prompt) + tokens})
    return examples


@pytest.fixture
def examples_of() -> Callable[..., list[dict[str, list[int]]]]:
    return make_examples


def plain_loss(
    model: nn.Module, deltas: Mapping[str, Tensor], examples: Sequence[Mapping[str, list[int]]]
) -> Tensor:
    """Mean answer loss, float64, one example at a time without padding, of weights + deltas."""
    wide = copy.deepcopy(model).double()
    weights = dict(wide.named_parameters())
    for module, delta in deltas.items():
        weights[f"{module}.weight"] = weights[f"{module}.weight"].detach() + delta
    total, count = torch.zeros((), dtype=torch.float64), 0
    for example in examples:
        ids, labels = torch.tensor([example["input_ids"]]), torch.tensor(example["labels"])
        out = torch.func.functional_call(wide, weights, (), {"input_ids": ids})
        scores = torch.log_softmax(out.logits[0].double(), dim=-1)
        for position in range(1, len(labels)):
            if labels[position] != -100:
                total, count = total - scores[position - 1, labels[position]], count + 1
    return total / count


@pytest.fixture
def reference_loss() -> Callable[..., Tensor]:
    return plain_loss
