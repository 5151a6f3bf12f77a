"""Finding a method by name, and streaming it over the modules."""

import numpy as np
import pytest
import torch
from tests.merge.dense import as_array, dense, draw

from recycling.errors import UserError
from recycling.lora.adapter import Adapter
from recycling.lora.export import save_adapter
from recycling.lora.lowrank import LowRank
from recycling.merge import merge_adapters

METHODS = ["average", "task_arithmetic", "ties", "dare", "tsv"]


def adapters():
    """Three adapters with overlapping and disjoint modules."""
    sets = [("a", "b"), ("b", "c"), ("b", "d")]
    return [
        {name: draw(12, 9, 2 + i, ord(name) + i) for name in names} for i, names in enumerate(sets)
    ]


@pytest.mark.parametrize("method", METHODS)
def test_the_union_of_modules_in_the_order_of_names(method):
    merged = dict(merge_adapters(method, adapters(), {}, seed=3))
    assert list(merged) == ["a", "b", "c", "d"]
    assert all(tuple(delta.shape) == (12, 9) for delta in merged.values())
    again = dict(merge_adapters(method, adapters(), {}, seed=3))
    for name, delta in merged.items():
        np.testing.assert_array_equal(as_array(delta), as_array(again[name]))


@pytest.mark.parametrize("method", METHODS)
def test_adapters_on_disk_give_what_adapters_in_memory_give(method, tmp_path):
    opened = []
    for i, factors in enumerate(adapters()):
        save_adapter(tmp_path / str(i), factors, base_model="b")
        opened.append(Adapter.open(tmp_path / str(i)))
    in_memory = dict(merge_adapters(method, adapters(), {}))
    for name, delta in merge_adapters(method, opened, {}):
        np.testing.assert_allclose(as_array(delta), as_array(in_memory[name]), atol=1e-5)


def test_modules_of_one_adapter_alone():
    merged = dict(merge_adapters("average", adapters(), {}))
    np.testing.assert_allclose(as_array(merged["a"]), dense(adapters()[0]["a"]) / 3, atol=1e-6)
    merged = dict(merge_adapters("average", adapters(), {"divide_by": "present"}))
    np.testing.assert_allclose(as_array(merged["a"]), dense(adapters()[0]["a"]), atol=1e-6)


class Counting(dict):
    """An adapter that counts its reads."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.reads = []

    def get(self, key, default=None):
        if key in self:
            self.reads.append(key)
        return super().get(key, default)


@pytest.mark.parametrize("method", METHODS)
def test_each_module_of_each_adapter_is_read_once_and_only_when_its_turn_comes(method):
    counted = [Counting(adapter) for adapter in adapters()]
    stream = merge_adapters(method, counted, {})
    assert not any(adapter.reads for adapter in counted)
    next(stream)
    assert [adapter.reads for adapter in counted] == [["a"], [], []]
    list(stream)
    assert [adapter.reads for adapter in counted] == [["a", "b"], ["b", "c"], ["b", "d"]]


def test_a_seeded_method_gets_a_seed_of_each_modules_own():
    same = draw(12, 9, 3, 1)
    adapter = {"a": same, "b": same}
    merged = dict(merge_adapters("dare", [adapter], {"density": 0.5}, seed=1))
    other = dict(merge_adapters("dare", [adapter], {"density": 0.5}, seed=2))
    assert not torch.equal(merged["a"], merged["b"])
    assert not torch.equal(merged["a"], other["a"])


@pytest.mark.parametrize(
    "method", ["dare", "nonsense", "no.such.module", "no/such/file.py", "_election"]
)
@pytest.mark.parametrize("setting", ["parts", "seed", "weights"])
def test_unknown_methods_and_settings_are_refused_at_once(method, setting):
    with pytest.raises(UserError, match=method):
        merge_adapters(method, adapters(), {setting: 1})


def test_a_refusal_names_the_settings_there_are():
    with pytest.raises(UserError, match="did you mean density"):
        merge_adapters("ties", adapters(), {"densty": 0.2})


NEW_METHOD = '''
"""The delta of greatest norm."""


def merge(parts, scale=1.0):
    present = [part for part in parts if part is not None]
    return max(present, key=lambda part: part.norm()).scaled(scale) if present else None
'''


def test_a_new_method_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "greatest.py").write_text(NEW_METHOD)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "greatest.py").write_text(NEW_METHOD)
    monkeypatch.syspath_prepend(tmp_path)
    small, great = draw(5, 4, 2, 1, scaling=0.1), draw(5, 4, 2, 2, scaling=5.0)
    pool = [{"a": small}, {"a": great}]
    for name in (str(tmp_path / "greatest.py"), "mine.greatest"):
        ((module, delta),) = merge_adapters(name, pool, {"scale": 2.0})
        assert module == "a"
        np.testing.assert_allclose(as_array(delta), 2 * dense(great), atol=1e-4)
        with pytest.raises(UserError, match="it takes scale"):
            merge_adapters(name, pool, {"size": 2.0})


def test_a_file_without_a_merge_function_is_refused(tmp_path):
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(UserError, match="no function 'merge'"):
        merge_adapters(str(tmp_path / "empty.py"), [], {})


def test_a_merged_model_leaves_as_factors():
    for _, delta in merge_adapters("tsv", adapters(), {"k": 2}):
        assert isinstance(delta, LowRank)
