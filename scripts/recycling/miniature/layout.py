"""Writes every repository of the small world for the loopback Hub."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load, save

from recycling.errors import UserError
from recycling.miniature import datasets, public_adapters, task_family
from recycling.miniature.defective_adapters import CONFIG, WEIGHTS, Files, defects
from recycling.miniature.language import Question
from recycling.miniature.public_adapters import Recipe
from recycling.miniature.repositories import add_repo

# Options that newer versions of PEFT write, all off.
NEWER_OPTIONS = {"corda_config": None, "eva_config": None, "trainable_token_indices": None}


def lay_out(
    root: str | Path,
    base: str | Path,
    adapters: Sequence[str | Path],
    tasks: Sequence[str],
    base_repo: str,
    alias: str,
) -> dict[str, str]:
    """Write base, public adapters and data sets as repositories under `root`; return their commits.

    root: is emptied first. base: folder of the pre-trained base. adapters: folders that together
    contain <owner>--<name>/ for every recipe. tasks: names of target tasks and of siblings. alias:
    the quantised copy of the base that some adapters name instead. The same input gives the same
    bytes. Raises UserError for an unknown task or a missing adapter.
    """
    for part in ("blobs", "models", "datasets"):  # earlier commits would stay in the history
        shutil.rmtree(Path(root) / part, ignore_errors=True)
    commits = {base_repo: add_repo(root, "model", base_repo, Path(base), license="apache-2.0")}
    recipes = public_adapters.recipes()
    healthy = {recipe.repo_id: _files(recipe, adapters, alias) for recipe in recipes}
    for number, recipe in enumerate(recipes):
        named_base = alias if recipe.through_alias else base_repo
        repo_id, files = recipe.repo_id, healthy[recipe.repo_id]
        commits[repo_id] = _add_adapter(root, number, repo_id, files, named_base, recipe.licence)
    plain = [recipe for recipe in recipes if not recipe.through_alias]
    for number, defect in enumerate(defects()):
        recipe = plain[number % len(plain)]
        files = defect.make(dict(healthy[recipe.repo_id]))
        repo_id = defect.repo_id
        number += len(recipes)  # later than the original
        commits[repo_id] = _add_adapter(
            root, number, repo_id, files, base_repo, "mit", **defect.flags
        )
    # The name of its base only starts with this base's name: a listing by tag must not include it.
    other, repo_id = f"{base_repo}-instruct", "bluefinch/tiny-instruct-lora"
    commits[repo_id] = _add_adapter(
        root, 99, repo_id, healthy[plain[0].repo_id], other, "apache-2.0"
    )
    for question in _questions(tasks):
        repo_id, files = datasets.repo_id(question), datasets.files(question)
        sha = add_repo(root, "dataset", repo_id, files, license="cc0-1.0")
        commits[f"datasets/{repo_id}"] = sha
    return commits


def _questions(tasks: Sequence[str]) -> list[Question]:
    known = task_family.by_name()
    for task in tasks:
        if task not in known:
            raise UserError(
                f"task {task!r}: not a task of the small world; docs/miniature.md describes them"
            )
    return [known[task] for task in tasks]


def _add_adapter(
    root: str | Path,
    number: int,
    repo_id: str,
    files: Files,
    base: str,
    licence: str | None,
    **flags: object,
) -> str:
    day = f"2024-{8 + number // 28:02d}-{1 + number % 28:02d}T12:00:00.000Z"
    card = {"library_name": "peft", "base_model": base}
    readme = f"---\nlibrary_name: peft\nbase_model: {base}\n---\n# {repo_id}\n".encode()
    return add_repo(
        root,
        "model",
        repo_id,
        {"README.md": readme, **files},
        license=licence,
        downloads=(number * 37) % 101,
        created=day,
        modified=day,
        card=card,
        **flags,  # type: ignore[arg-type]
    )


def _files(recipe: Recipe, adapters: Sequence[str | Path], alias: str) -> Files:
    """A healthy adapter's files as its owner uploads them: in the recipe's dtype and key style."""
    folders = [Path(folder) / recipe.folder for folder in adapters]
    trained = next((folder for folder in folders if (folder / WEIGHTS).exists()), None)
    if trained is None:
        raise UserError(
            f"{recipe.repo_id}: no trained adapter in {', '.join(map(str, adapters))}; "
            "run the rule miniature_adapters"
        )
    config = json.loads((trained / CONFIG).read_text(encoding="utf-8"))
    if recipe.through_alias:
        config["base_model_name_or_path"] = alias
    if recipe.key_style == "default":
        config |= NEWER_OPTIONS
    dtype = getattr(torch, recipe.dtype)
    tensors = {}
    for name, tensor in sorted(load((trained / WEIGHTS).read_bytes()).items()):
        if recipe.key_style == "default":
            name = name.replace(".weight", ".default.weight")
        tensors[name] = tensor.to(dtype)
    return {
        CONFIG: json.dumps(config, indent=1).encode(),
        WEIGHTS: save(tensors, metadata={"format": "pt"}),
    }
