"""The pool's facts about kept adapters, against plain references."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.hub.adapters import ALIAS, BASE, SHAPES, World, adapter, reason, tensors

from recycling.files import sha256_file


def reference_norm(weights: dict[str, np.ndarray], scaling: dict[str, float]) -> float:
    total = 0.0
    for module in SHAPES:
        A, B = (
            weights[f"base_model.model.{module}.lora_{x}.weight"].astype(np.float64) for x in "AB"
        )
        total += np.square(scaling[module] * (B @ A)).sum()
    return float(np.sqrt(total))


def test_the_norm_is_that_of_the_scaled_deltas(world: World, tmp_path: Path) -> None:
    plain, mixed = tensors(1), tensors(2, v_proj=8, down_proj=2)
    world.add("norm/plain", adapter(weights=plain))
    world.add("norm/rslora", adapter(weights=tensors(3), use_rslora=True))
    settings = {
        "rank_pattern": {"v_proj": 8, "down_proj": 2},
        "alpha_pattern": {"layers.1.mlp.down_proj": 32, "down_proj": 3},
    }
    world.add("norm/mixed", adapter(weights=mixed, **settings))
    rows = world.pool(tmp_path / "pool")
    alpha = {m: 32 if m == "model.layers.1.mlp.down_proj" else 8 for m in SHAPES}
    alpha["model.layers.0.mlp.down_proj"] = 3
    rank = {m: 8 if "v_proj" in m else 2 if "down" in m else 4 for m in SHAPES}
    expected = {
        "norm/plain": reference_norm(plain, dict.fromkeys(SHAPES, 8 / 4)),
        "norm/rslora": reference_norm(tensors(3), dict.fromkeys(SHAPES, 8 / 4**0.5)),
        "norm/mixed": reference_norm(mixed, {m: alpha[m] / rank[m] for m in SHAPES}),
    }
    for repo_id, norm in expected.items():
        assert float(rows[repo_id]["norm"]) == pytest.approx(norm, rel=1e-5)
    assert (rows["norm/mixed"]["rank"], rows["norm/mixed"]["alpha"]) == ("8", "8")
    assert rows["norm/rslora"]["rslora"] == "true"


def test_a_kept_row_describes_its_files(world: World, tmp_path: Path) -> None:
    files = adapter(5)
    sha = world.add("owner/name", files, license="apache-2.0", downloads=7)
    row = world.pool(tmp_path / "pool")["owner/name"]
    folder = tmp_path / "pool" / row["folder"]
    assert row["sha"] == sha
    assert (row["author"], row["licence"], row["downloads"]) == ("owner", "apache-2.0", "7")
    assert (row["modules"], row["n_modules"]) == ("down_proj,q_proj,v_proj", "6")
    assert {path.name for path in folder.iterdir()} == set(files) - {"README.md"}
    for path in folder.iterdir():
        assert path.read_bytes() == files[path.name]
    assert row["sha256"] == sha256_file(folder / "adapter_model.safetensors")
    assert int(row["bytes"]) == len(files["adapter_model.safetensors"])


def test_the_norm_limits_are_open_below_and_closed_above(world: World, tmp_path: Path) -> None:
    world.add("a/a", adapter(1))
    norm = float(world.pool(tmp_path / "1")["a/a"]["norm"])
    low = world.pool(tmp_path / "2", screening={"norm_above": norm + 1e-3})["a/a"]
    high = world.pool(tmp_path / "3", screening={"norm_most": norm - 1e-3})["a/a"]
    assert (reason(low), reason(high)) == ("norm_too_small", "norm_too_large")
    edges = {"norm_above": norm - 1e-3, "norm_most": norm + 1e-3}
    assert reason(world.pool(tmp_path / "4", screening=edges)["a/a"]) == "kept"


def test_switches_of_the_filter(world: World, tmp_path: Path) -> None:
    files = adapter(1)
    world.add("a/first", files, created="2024-01-01T00:00:00.000Z")
    world.add("a/second", files)
    world.add("a/pattern", adapter(2, alpha_pattern={"q_proj": 4}))
    world.add("a/local", adapter(3, base_model_name_or_path="./base"))
    world.add("a/option", adapter(4, use_quaternions=True))
    strict = world.pool(tmp_path / "strict", screening={"per_module_ranks": False})
    assert {name: reason(row) for name, row in strict.items()} == {
        "a/first": "kept",
        "a/second": "duplicate",
        "a/pattern": "per_module_ranks",
        "a/local": "unstated_base",
        "a/option": "unknown_option",
    }
    free = {
        "unstated_base": True,
        "duplicates": True,
        "benign_options": ["use_quaternions"],
        "exclude": ["a/pattern"],
    }
    loose = world.pool(tmp_path / "loose", screening=free)
    assert {name for name, row in loose.items() if reason(row) != "kept"} == {"a/pattern"}
    assert reason(loose["a/pattern"]) == "excluded"


def test_the_earliest_of_equal_adapters_is_kept_whatever_the_order(
    world: World, tmp_path: Path
) -> None:
    files = adapter(1)
    world.add("z/original", files, created="2023-01-01T00:00:00.000Z")
    world.add("a/copy", files, created="2024-01-01T00:00:00.000Z")
    rows = world.pool(tmp_path / "pool")
    assert reason(rows["z/original"]) == "kept"
    assert rows["a/copy"]["detail"] == "same weights as z/original"


def test_a_copy_stays_where_the_original_does_not(world: World, tmp_path: Path) -> None:
    files = adapter(1)
    faint = {**files, "adapter_config.json": adapter(1, lora_alpha=0.01)["adapter_config.json"]}
    world.add("a/faint", faint, created="2023-01-01T00:00:00.000Z")
    world.add("b/strong", files)
    rows = world.pool(tmp_path / "pool")
    assert reason(rows["a/faint"]) == "norm_too_small"
    assert reason(rows["b/strong"]) == "kept"
    stored = tmp_path / "pool" / rows["b/strong"]["folder"] / "adapter_config.json"
    assert json.loads(stored.read_text())["lora_alpha"] == 8


def test_the_same_values_in_another_module_are_no_copy(world: World, tmp_path: Path) -> None:
    first, second = (
        {name: value for name, value in tensors(1).items() if f"{layer}.self_attn.q" in name}
        for layer in (0, 1)
    )
    world.add("a/low", adapter(weights=first))
    world.add("a/high", adapter(weights=dict(zip(second, first.values(), strict=True))))
    rows = world.pool(tmp_path / "pool", screening={"norm_above": 0.1})
    assert {name: reason(row) for name, row in rows.items()} == {
        "a/low": "kept",
        "a/high": "kept",
    }


def test_only_exact_bases_and_aliases_are_crawled(world: World, tmp_path: Path) -> None:
    world.add("a/base")
    world.add("a/alias", adapter(2, base_model_name_or_path=ALIAS), base=ALIAS)
    world.add("a/longer", base=f"{BASE}-instruct")
    world.add("a/not-adapter", card={"base_model": BASE})
    assert set(world.pool(tmp_path / "1")) == {"a/base"}
    rows = world.pool(tmp_path / "2", aliases=[ALIAS])
    assert {name: reason(row) for name, row in rows.items()} == {
        "a/base": "kept",
        "a/alias": "kept",
    }
