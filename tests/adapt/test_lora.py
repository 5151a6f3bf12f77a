"""LoRA training: an ordinary PEFT folder, the base untouched, deterministic bytes."""

import copy
import json

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from recycling.adapt.lora import Lora, train_lora
from recycling.adapt.training import Training, batches, collate, loss
from recycling.errors import UserError
from recycling.lora.adapter import Adapter
from recycling.settings import parse

TRAINING = Training(lr=1e-2, steps=8, batch_size=4, evaluate_every=4)


@pytest.mark.parametrize("rslora", [False, True])
def test_the_folder_is_the_kept_step_and_plain_peft_loads_it(model, examples_of, tmp_path, rslora):
    train, validation = examples_of(8, seed=1), examples_of(4, seed=1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    flags = [parameter.requires_grad for parameter in model.parameters()]
    result = train_lora(
        model,
        train,
        validation,
        rank=4,
        alpha=6,
        rslora=rslora,
        training=TRAINING,
        seed=3,
        out=tmp_path,
        base_model="tiny",
    )
    assert result.best_step > 0
    after = model.state_dict()
    assert set(after) == set(before) and all(torch.equal(after[k], before[k]) for k in before)
    assert [parameter.requires_grad for parameter in model.parameters()] == flags
    assert not hasattr(model, "peft_config") and not model.training

    adapter = Adapter.open(tmp_path)
    assert len(adapter) == 14 and adapter.rslora == rslora and adapter.rank == 4
    scaling = 6 / 2 if rslora else 6 / 4
    assert all(adapter[module].scaling == pytest.approx(scaling) for module in adapter)
    loaded = PeftModel.from_pretrained(copy.deepcopy(model), tmp_path)
    assert loss(loaded, batches(validation)) == pytest.approx(result.best_loss, rel=1e-5)


def test_steps_are_pefts_own(tiny, examples_of, tmp_path):
    """Against PEFT trained by a plain loop: whole batches, no dropout, constant-free schedule."""
    train = examples_of(6, seed=1)
    training = Training(lr=1e-2, steps=3, batch_size=6, warmup=0, max_grad_norm=1e9, keep="last")
    options = {"rank": 2, "alpha": 4, "dropout": 0.0, "modules": ["q_proj", "down_proj"]}
    train_lora(
        tiny, train, [], **options, training=training, seed=3, out=tmp_path, base_model="tiny"
    )
    torch.manual_seed(3)
    config = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "down_proj"])
    plain = get_peft_model(copy.deepcopy(tiny), config)
    optimiser = torch.optim.AdamW(
        [p for p in plain.parameters() if p.requires_grad], weight_decay=0
    )
    for rate in (1e-2, 0.75e-2, 0.25e-2):  # cosine over three steps
        optimiser.param_groups[0]["lr"] = rate
        plain(**collate(train)).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    adapter = Adapter.open(tmp_path)
    for name, module in plain.base_model.model.named_modules():
        if hasattr(module, "lora_A"):
            a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
            torch.testing.assert_close(adapter[name].A, a.detach(), rtol=1e-3, atol=1e-5)
            torch.testing.assert_close(adapter[name].B, b.detach(), rtol=1e-3, atol=1e-5)
            assert b.abs().max() > 1e-3


def test_same_seed_same_bytes(tiny, examples_of, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.manual_seed(ord(name))
        train_lora(
            tiny,
            examples_of(8, seed=1),
            [],
            rank=2,
            training=TRAINING,
            seed=seed,
            out=tmp_path / name,
            base_model="tiny",
        )
    for file in ("adapter_model.safetensors", "adapter_config.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    weights = [(tmp_path / n / "adapter_model.safetensors").read_bytes() for n in "ac"]
    assert weights[0] != weights[1]


def test_modules_can_be_a_subset_and_unknown_ones_are_refused(tiny, examples_of, tmp_path):
    train = examples_of(4, seed=1)
    common = {"training": TRAINING, "seed": 1, "base_model": "tiny"}
    train_lora(tiny, train, [], modules=["v_proj"], out=tmp_path / "v", **common)
    config = json.loads((tmp_path / "v/adapter_config.json").read_text())
    assert config["target_modules"] == [
        "model.layers.0.self_attn.v_proj",
        "model.layers.1.self_attn.v_proj",
    ]
    before = loss(tiny, batches(train))
    with pytest.raises(UserError, match="query"):
        train_lora(tiny, train, [], modules=["query"], out=tmp_path / "q", **common)
    assert loss(tiny, batches(train)) == before and not hasattr(tiny, "peft_config")


def test_a_bfloat16_base_gets_float32_factors(tiny, examples_of, tmp_path):
    train = examples_of(8, seed=1)
    seen = []
    tiny.bfloat16().model.layers[0].self_attn.q_proj.register_forward_hook(
        lambda module, inputs, output: seen.append((module.training, output.dtype))
    )
    result = train_lora(
        tiny,
        train,
        train[:4],
        rank=2,
        training=TRAINING,
        seed=1,
        out=tmp_path,
        base_model="tiny",
    )
    assert result.best_loss < result.losses[0][1] and result.best_step > 0
    assert {dtype for _, dtype in seen} == {torch.bfloat16}
    for part in Adapter.open(tmp_path).values():
        assert part.A.dtype == torch.float32
        assert not torch.equal(part.A, part.A.bfloat16().float())


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"rank": "sixteen"}, "settings.rank: 'sixteen'"),
        ({"rank": True}, "settings.rank: True"),
        ({"dropout": "none"}, "settings.dropout: 'none'"),
        ({"rslora": 1}, "settings.rslora: 1"),
        ({"ranks": 16}, "unknown setting 'ranks'"),
        ({"split": "test"}, "settings.split: 'test'"),
        ({"modules": "q_proj"}, "settings.modules: 'q_proj'"),
        ({"training": {"lr": 0.1}}, "settings.training: the setting 'steps'"),
    ],
)
def test_a_wrong_setting_is_one_line(values, named):
    with pytest.raises(UserError) as caught:
        parse(Lora, values, "methods.x.settings")
    assert named in str(caught.value) and "\n" not in str(caught.value)


def test_numbers_of_either_kind_are_fine_where_a_float_is_meant():
    assert parse(Lora, {"dropout": 0, "alpha": 16}, "methods.x.settings").dropout == 0
