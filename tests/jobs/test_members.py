"""Adapters that are gone or damaged are noticed when they are read, and made again."""

import json

import pytest
import torch

from recycling.errors import Outdated, UserError
from recycling.files import sha256_file, write_tsv
from recycling.jobs.members import ADAPTER, pool_members, target_members
from recycling.lora.adapter import WEIGHTS
from recycling.lora.export import save_adapter
from recycling.lora.lowrank import LowRank
from recycling.store.store import Recipe, Store
from recycling.study.run import Run

FACTORS = {"model.layers.0.q_proj": LowRank(torch.ones(1, 4), torch.ones(4, 1), 1.0)}


@pytest.fixture
def pool(tmp_path):
    folder = tmp_path / "adapters/one"
    save_adapter(folder, FACTORS, base_model="tiny")
    row = {"repo_id": "a/one", "folder": "adapters/one", "sha256": sha256_file(folder / WEIGHTS)}
    write_tsv(tmp_path / "pool.tsv", tuple(row), [row])
    return tmp_path / "pool.tsv"


def test_a_whole_adapter_opens(pool):
    assert list(pool_members(pool)["a/one"].open()) == list(FACTORS)


@pytest.mark.parametrize("damage", ["flip", "cut", "delete"])
def test_a_damaged_adapter_of_the_pool_outdates_the_pool(pool, damage):
    weights = pool.parent / "adapters/one" / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.unlink()
    if damage != "delete":
        weights.write_bytes(content if damage == "flip" else content[:-4])
    with pytest.raises(Outdated, match=r"not the file that .*pool\.tsv lists") as caught:
        pool_members(pool)["a/one"].open()
    assert caught.value.files == [pool]


def test_all_files_that_name_a_lost_lora_are_outdated_at_once(tmp_path):
    store = Store(tmp_path / "store")
    files = []
    for number, seed in enumerate((0, 1, 2)):
        recipe = Recipe("lora", "c", {"seed": seed}, {})
        if seed == 0:
            store.compute(recipe, lambda folder: (folder / ADAPTER).mkdir())
        line = Run("lora", "t", seed, target="with").to_json() | {"key": recipe.key}
        files.append(tmp_path / f"{number}.jsonl")
        files[-1].write_text(json.dumps(line) + "\n")
    assert target_members(files[:1], store)["t", 0].content
    with pytest.raises(Outdated, match="lora on t, seed 1, lora on t, seed 2") as caught:
        target_members(files, store)
    assert caught.value.files == files[1:]


def test_an_empty_pool_is_said_to_be_empty(tmp_path):
    write_tsv(tmp_path / "pool.tsv", ("repo_id", "folder", "sha256"), [])
    with pytest.raises(UserError, match=r"pool\.tsv: the pool is empty; .*rejected\.tsv"):
        pool_members(tmp_path / "pool.tsv")
