"""Every kind of odd adapter gets its own reason."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file
from tests.hub.adapters import ALIAS, SHAPES, World, reason
from tests.hub.odd import ODD

from recycling.hub.reasons import REASONS
from recycling.miniature.loopback import Loopback

Rows = dict[str, dict[str, str]]
LIMITS = {"config_bytes": 18_500, "weights_bytes": 50_000, "header_bytes": 30_000}


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rows, Path]]:
    """All odd adapters on one Hub, crawled and screened once."""
    root = tmp_path_factory.mktemp("odd")
    with Loopback(root / "hub", page=25) as hub:
        world = World(root / "hub", hub)
        for repo_id, (_, files, options) in ODD.items():
            world.add(repo_id, files, **options)
        rows = world.pool(root / "pool", aliases=[ALIAS], screening=LIMITS)
        yield rows, root / "pool"


@pytest.mark.parametrize("repo_id", ODD)
def test_odd_adapter(screened: tuple[Rows, Path], repo_id: str) -> None:
    rows, folder = screened
    row = rows[repo_id]
    assert reason(row) == ODD[repo_id][0], row["detail"]
    if reason(row) == "kept":
        assert (folder / row["folder"] / "adapter_model.safetensors").stat().st_size > 0
    else:
        assert row["folder"] == ""
        assert "\n" not in row["detail"]


def test_nothing_is_lost_and_only_kept_adapters_are_on_disk(screened: tuple[Rows, Path]) -> None:
    rows, folder = screened
    assert set(rows) == set(ODD)
    kept = {row["folder"] for row in rows.values() if reason(row) == "kept"}
    assert {f"adapters/{path.name}" for path in (folder / "adapters").iterdir()} == kept
    assert not (folder / ".partial").exists()


def test_the_catalogue_is_wide_enough() -> None:
    assert len(ODD) >= 60
    assert {verdict for verdict, _, _ in ODD.values()} <= {*REASONS, "kept"}


def test_peft_makes_the_same_deltas_of_the_kept(screened: tuple[Rows, Path]) -> None:
    """The norm in pool.tsv is that of the deltas that PEFT itself computes from the folder."""
    rows, folder = screened
    for repo_id, row in rows.items():
        if reason(row) == "kept":
            norm = peft_norm(folder / row["folder"])
            assert float(row["norm"]) == pytest.approx(norm, rel=3e-3), repo_id


def peft_norm(folder: Path) -> float:
    model = torch.nn.Module()
    for name, (out, in_) in SHAPES.items():
        *path, last = name.split(".")
        parent = model
        for part in path:
            if not hasattr(parent, part):
                parent.add_module(part, torch.nn.Module())
            parent = getattr(parent, part)
        parent.add_module(last, torch.nn.Linear(in_, out, bias=False))
    weights = load_file(folder / "adapter_model.safetensors")
    weights = {name.replace(".default.weight", ".weight"): value for name, value in weights.items()}
    text = json.loads((folder / "adapter_config.json").read_text())
    known = {field.name for field in dataclasses.fields(LoraConfig)}
    config = LoraConfig(**{key: value for key, value in text.items() if key in known})
    # The tensors determine the set of modules, as in the screening.
    config.layers_to_transform = config.exclude_modules = None
    bare = {name.removeprefix("base_model.model."): value for name, value in weights.items()}
    config.target_modules = {name.split(".lora_")[0] for name in bare}
    inject_adapter_in_model(config, model)
    assert not set_peft_model_state_dict(model, bare).unexpected_keys
    deltas = [m.get_delta_weight("default") for m in model.modules() if isinstance(m, LoraLayer)]
    return float(sum(delta.double().square().sum() for delta in deltas) ** 0.5)
