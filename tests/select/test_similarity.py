"""Similarities against dense float64 deltas."""

import numpy as np
import pytest
import torch

from recycling.errors import UserError
from recycling.lora.lowrank import LowRank
from recycling.select import _products, similarity

SHAPES = {"q": (14, 10), "k": (6, 10), "d": (9, 17)}


def adapter(seed, modules, rank, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: LowRank(
            torch.randn(rank, SHAPES[name][1], generator=generator).to(dtype),
            torch.randn(SHAPES[name][0], rank, generator=generator).to(dtype),
            0.5 + seed % 3,
        )
        for name in modules
    }


POOL = {
    "a": adapter(1, "qkd", 4),
    "b": adapter(2, "qk", 9),
    "c": adapter(3, "d", 2, torch.bfloat16),
    "e": adapter(4, "q", 6),
}
TARGETS = {"t": adapter(5, "qkd", 6), "u": adapter(6, "qk", 3), "copy": POOL["a"]}


def dense(part):
    return part.scaling * (part.B.double().numpy() @ part.A.double().numpy())


def cosine(x, y):
    return (x * y).sum() / (np.linalg.norm(x) * np.linalg.norm(y))


def size(x, y):
    return np.linalg.norm(x) * np.linalg.norm(y)


def pos(x):
    return np.maximum(x, 0)


REFERENCE = {
    "cosine": cosine,
    "abs": lambda x, y: np.abs(x * y).sum() / size(x, y),
    "clamp": lambda x, y: pos(x * y).sum() / size(x, y),
    "clamp_pm": lambda x, y: (cosine(pos(x), pos(y)) + cosine(pos(-x), pos(-y))) / 2,
    "quasi_fim": lambda x, y: cosine(x**2, y**2),
}


def expected(measure, adapter, target):
    union = set(adapter) | set(target)
    both = set(adapter) & set(target)
    if measure == "l2":
        zero = {name: np.zeros(SHAPES[name]) for name in union}
        left = zero | {name: dense(adapter[name]) for name in adapter}
        right = zero | {name: dense(target[name]) for name in target}
        return -np.sqrt(sum(((left[name] - right[name]) ** 2).sum() for name in union))
    if measure == "rank":
        ranks = [sorted((adapter[name].rank, target[name].rank)) for name in both]
        return sum(low / high for low, high in ranks) / len(union)
    values = [REFERENCE[measure](dense(adapter[name]), dense(target[name])) for name in both]
    return sum(values) / len(union)


@pytest.mark.parametrize("measure", similarity.MEASURES)
@pytest.mark.parametrize(("batch", "block"), [(32, 2**18), (2, 32)])
def test_against_dense_deltas(monkeypatch, measure, batch, block):
    monkeypatch.setattr(similarity, "BATCH", batch)
    monkeypatch.setattr(_products, "BLOCK", block)
    scores = similarity.similarities(POOL, TARGETS, [measure])
    assert list(scores) == [measure] and list(scores[measure]) == list(TARGETS)
    for target, row in scores[measure].items():
        assert list(row) == list(POOL)
        for name, score in row.items():
            reference = expected(measure, POOL[name], TARGETS[target])
            # The distance of an adapter to itself is the root of a rounding error.
            tolerance = 2e-2 if measure == "l2" and target == "copy" and name == "a" else 1e-5
            assert score == pytest.approx(reference, abs=tolerance)


def test_all_measures_at_once_equal_the_single_measures():
    together = similarity.similarities(POOL, TARGETS, similarity.MEASURES)
    for measure in similarity.MEASURES:
        assert together[measure] == similarity.similarities(POOL, TARGETS, [measure])[measure]


def test_identities():
    scores = similarity.similarities(POOL, TARGETS, similarity.MEASURES)
    for measure in ("cosine", "abs", "clamp", "clamp_pm", "quasi_fim", "rank"):
        assert scores[measure]["copy"]["a"] == pytest.approx(1.0, abs=1e-6)
    for target in TARGETS:
        for name in POOL:
            both = scores["abs"][target][name] + scores["cosine"][target][name]
            assert scores["clamp"][target][name] == pytest.approx(both / 2)


def test_disjoint_modules_and_zero_deltas_score_zero():
    zero = {"q": LowRank(torch.zeros(2, 10), torch.zeros(14, 2))}
    pool = {"disjoint": adapter(1, "d", 2), "zero": zero}
    scores = similarity.similarities(pool, {"t": adapter(2, "q", 2)}, similarity.MEASURES)
    for measure in ("cosine", "abs", "clamp", "clamp_pm", "quasi_fim"):
        assert scores[measure]["t"] == {"disjoint": 0.0, "zero": 0.0}


class Counting(dict):
    reads = 0

    def __getitem__(self, key):
        self.reads += 1
        return super().__getitem__(key)


def test_each_adapter_is_read_once_for_all_targets():
    pool = {name: Counting(parts) for name, parts in POOL.items()}
    targets = {str(i): adapter(10 + i, "qkd", 3) for i in range(5)}
    similarity.similarities(pool, targets, similarity.MEASURES)
    assert [parts.reads for parts in pool.values()] == [len(parts) for parts in POOL.values()]


def test_an_unknown_measure_is_refused():
    with pytest.raises(UserError, match=r"'cosinus'.*cosine, abs"):
        similarity.similarities(POOL, TARGETS, ["cosinus"])
