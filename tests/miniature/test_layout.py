"""The complete layout, served on loopback and screened as in the workflow."""

import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recycling.files import read_json, write_json
from recycling.hub.pool_builder import build_pool
from recycling.hub.reasons import REASONS
from recycling.hub.settings import Network, Screening
from recycling.lora.adapter import Adapter
from recycling.lora.export import save_adapter
from recycling.lora.lowrank import LowRank
from recycling.miniature import datasets, pretraining, public_adapters, task_family
from recycling.miniature.defective_adapters import CONFIG, defects
from recycling.miniature.layout import lay_out
from recycling.miniature.loopback import Loopback

BASE, ALIAS = "recycling/tiny", "mirrors/tiny-bnb-4bit"
TASKS = [task_family.candidates()[i] for i in (0, 3, 12, -1)]


def untrained(recipe: public_adapters.Recipe, folder: Path, model: torch.nn.Module) -> None:
    """Save an adapter with the recipe's shapes and random factors instead of a trained one."""
    generator = torch.Generator().manual_seed(zlib.crc32(recipe.repo_id.encode()))
    scaling = recipe.alpha / (recipe.rank**0.5 if recipe.rslora else recipe.rank)
    factors = {}
    for name, module in model.named_modules():
        if name.endswith(recipe.modules):
            out, inner = module.weight.shape  # type: ignore[union-attr, misc]
            a = torch.randn(recipe.rank, int(inner), generator=generator) * 0.1
            b = torch.randn(int(out), recipe.rank, generator=generator) * 0.1
            factors[name] = LowRank(a, b, scaling)
    save_adapter(folder / recipe.folder, factors, base_model=BASE)
    if recipe.rslora:
        file = folder / recipe.folder / CONFIG
        write_json(file, read_json(file) | {"lora_alpha": recipe.alpha, "use_rslora": True})


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of an untrained base and of adapters with random factors."""
    root = tmp_path_factory.mktemp("world")
    torch.manual_seed(0)
    model = pretraining.LlamaForCausalLM(pretraining.config())
    pretraining.save(model, root / "base")
    for recipe in public_adapters.recipes():
        untrained(recipe, root / "adapters", model)
    return root / "base", root / "adapters"


@pytest.fixture(scope="module")
def hub(parts: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    names = [task_family.task_name(question) for question in TASKS]
    lay_out(root, parts[0], [parts[1]], names, BASE, ALIAS)
    return root


def test_size_and_variety_of_the_pool() -> None:
    recipes = public_adapters.recipes()
    assert len(recipes) >= 28
    assert len({defect.reason for defect in defects()}) == len(defects()) >= 14
    names = [adapter.repo_id for adapter in (*recipes, *defects())]
    assert len(set(names)) == len(names) >= 44
    assert {defect.reason for defect in defects()} <= set(REASONS)
    for key in ("rank", "alpha", "modules", "rslora", "n_examples", "noise", "lr", "licence"):
        assert len({getattr(recipe, key) for recipe in recipes}) > 1, key
    assert any(recipe.through_alias for recipe in recipes)


def test_no_public_adapter_is_trained_for_a_candidate() -> None:
    meanings = {question.meaning for question in task_family.candidates()}
    assert meanings.isdisjoint(recipe.question.meaning for recipe in public_adapters.recipes())


def test_screening_keeps_the_healthy_and_gives_each_defect_its_reason(
    hub: Path, tmp_path: Path
) -> None:
    from recycling.hub.crawl import find_candidates

    shapes = {
        name: (int(module.weight.shape[0]), int(module.weight.shape[1]))
        for name, module in pretraining.LlamaForCausalLM(pretraining.config()).named_modules()
        if isinstance(module, torch.nn.Linear) and name != "lm_head"
    }
    with Loopback(hub, page=10) as served:
        from recycling.hub.client import Client
        from recycling.hub.fetch import HubFiles

        network = Network(attempts=2)
        pool = {"source": "crawl", "aliases": [ALIAS]}
        candidates = find_candidates(
            pool, BASE, endpoint=served.url, work=tmp_path / "work", network=network
        )
        with Client(served.url, network=network) as client:
            kept, rejected = build_pool(
                candidates,
                shapes,
                names=[BASE, ALIAS],
                files=HubFiles(client),
                folder=tmp_path / "pool",
                settings=Screening(per_module_ranks=False),
            )
    recipes = {recipe.repo_id: recipe for recipe in public_adapters.recipes()}
    assert {row["repo_id"] for row in kept} == set(recipes)
    reasons = {row["repo_id"]: row["reason"] for row in rejected}
    assert reasons == {defect.repo_id: defect.reason for defect in defects()}
    for row in kept:
        recipe = recipes[row["repo_id"]]
        adapter = Adapter.open(tmp_path / "pool" / row["folder"])
        assert (adapter.rank, adapter.rslora) == (recipe.rank, recipe.rslora)
        assert {module.rpartition(".")[2] for module in adapter.modules} == set(recipe.modules)
        assert row["licence"] == (recipe.licence or "")


def test_laying_out_again_gives_the_same_bytes(
    hub: Path, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    names = [task_family.task_name(question) for question in TASKS]
    lay_out(tmp_path, parts[0], [parts[1]], names[:1], "recycling/earlier", ALIAS)
    lay_out(tmp_path, parts[0], [parts[1]], names, BASE, ALIAS)
    files = sorted(path.relative_to(hub) for path in hub.rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert all((hub / file).read_bytes() == (tmp_path / file).read_bytes() for file in files)


def test_one_recipe_trains_to_a_folder_that_plain_peft_loads(
    parts: tuple[Path, Path], tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from recycling.miniature.public_adapters import train

    model = AutoModelForCausalLM.from_pretrained(parts[0]).eval()
    tokenizer = AutoTokenizer.from_pretrained(parts[0])
    recipe = next(recipe for recipe in public_adapters.recipes() if recipe.rslora)
    recipe = replace(recipe, steps=5)
    for folder in ("first", "second"):
        train(recipe, model, tokenizer, tmp_path / folder, BASE)
    for file in (tmp_path / "first" / recipe.folder).iterdir():
        again = tmp_path / "second" / recipe.folder / file.name
        assert file.read_bytes() == again.read_bytes()
    adapter = Adapter.open(tmp_path / "first" / recipe.folder)
    name = adapter.modules[0]
    before = model.get_submodule(name).weight.detach().clone()
    merged = PeftModel.from_pretrained(model, tmp_path / "first" / recipe.folder).merge_and_unload()
    change = merged.get_submodule(name).weight.detach() - before
    torch.testing.assert_close(change, adapter[name].delta(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("question", TASKS, ids=datasets.form)
def test_the_datasets_library_loads_the_data_sets(
    question: task_family.Question, hub: Path, tmp_path: Path
) -> None:
    from datasets import load_dataset

    folder = tmp_path / "repository"
    for path, content in datasets.files(question).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    loaded = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    expected = datasets.splits(question)
    assert set(loaded) == set(expected)
    spec = datasets.task_file(question)
    for split, rows in expected.items():
        values = loaded[split]["answer"]
        if spec.get("labels") == "dataset":
            answers = [loaded[split].features["answer"].int2str(value) for value in values]
        elif "labels" in spec:
            answers = [spec["labels"][value] for value in values]
        else:
            answers = list(values)
        assert answers == [row["answer"] for row in rows]
        assert list(loaded[split]["words"]) == [row["words"] for row in rows]
