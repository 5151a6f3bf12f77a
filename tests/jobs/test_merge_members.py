"""Which adapters a run merges."""

import json
from dataclasses import replace

import pytest
import torch

from recycling.errors import UserError
from recycling.files import sha256_file, write_tsv
from recycling.jobs.members import ADAPTER
from recycling.jobs.merge_members import MergeMembers, load_adapters
from recycling.lora.adapter import WEIGHTS
from recycling.lora.export import save_adapter
from recycling.lora.lowrank import LowRank
from recycling.store.store import Recipe, Store
from recycling.study.orders import Draw
from recycling.study.run import Run

RUN = Run("ours", "t", 0, "hub", "evaluation", 3, target="with")
NAMES = ["a", "b", "c"]
MODULE = "model.layers.0.q_proj"


def adapter(folder, value):
    """An adapter of one module whose A begins with this value."""
    down, up = value * torch.arange(1.0, 5.0), torch.arange(1.0, 5.0)
    factors = {MODULE: LowRank(down.reshape(1, 4), up.reshape(4, 1), 1.0)}
    save_adapter(folder, factors, base_model="tiny")
    return sha256_file(folder / WEIGHTS)


@pytest.fixture
def members(tmp_path):
    """A pool a, b, c of values 1, 2, 3, which evaluation orders c, a, b, and a target LoRA of 9."""
    rows = []
    for value, name in enumerate(NAMES, 1):
        folder = tmp_path / "hub" / name
        rows.append({"repo_id": name, "folder": name, "sha256": adapter(folder, float(value))})
    write_tsv(tmp_path / "hub/pool.tsv", tuple(rows[0]), rows)
    order = [
        {"selection": "evaluation", "seed": 0, "position": position, "repo_id": name, "score": 0.5}
        for name, position in (("b", 2), ("c", 0), ("a", 1))
    ]
    write_tsv(tmp_path / "t.tsv", tuple(order[0]), order)
    store = Store(tmp_path / "store")
    recipe = Recipe("lora", "c", {}, {})
    store.compute(recipe, lambda folder: adapter(folder / ADAPTER, 9.0) and None)
    target = Run("lora", "t", 0, target="with").to_json() | {"key": recipe.key}
    (tmp_path / "lora.jsonl").write_text(json.dumps(target) + "\n")
    draw = Draw("hub", "t", str(tmp_path / "hub/pool.tsv"), str(tmp_path / "t.tsv"))
    return MergeMembers([draw], [tmp_path / "lora.jsonl"], store)


def names(members, **changes):
    return [member.name for member in members.of(replace(RUN, **changes))]


def values(adapters):
    return [float(adapter[MODULE].A[0, 0]) for adapter in adapters]


def test_the_target_lora_is_the_first_of_k_and_the_pool_follows_in_order(members):
    assert names(members) == ["lora on t, seed 0", "c", "a"]
    assert names(members, target="without") == ["c", "a", "b"]
    assert names(members, k=2, skip=1) == ["lora on t, seed 0", "a"]


def test_the_target_lora_alone_needs_no_pool(members):
    assert names(members, k=1, pool="", selection="") == ["lora on t, seed 0"]


def test_a_pool_that_is_too_small_is_an_error_that_names_the_selection(members):
    with pytest.raises(UserError, match=r"t\.tsv: a merge of k = 5 .* has 3"):
        names(members, k=5)


@pytest.mark.parametrize(
    ("reinit", "kept"), [("none", 3), ("others", 1), ("all", 0), ("others_norm_matched", 1)]
)
def test_reinitialised_adapters_are_noise_and_the_others_are_read(members, reinit, kept):
    run = replace(RUN, reinit=reinit)
    loaded = values(load_adapters(members.of(run), run, {}))
    assert loaded[:kept] == [9.0, 3.0, 1.0][:kept]
    assert not set(loaded[kept:]) & {9.0, 3.0, 1.0}
