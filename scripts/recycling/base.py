"""The base model: frozen to one revision, described once, loaded by the jobs that need it."""

import fcntl
import json
import os
import platform
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recycling.errors import UserError
from recycling.files import canonical_json, read_json, sha256_file, sha256_text
from recycling.usage import spending

WANTED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")


def freeze(repo: str, revision: str) -> dict[str, Any]:
    """Download a base model (safetensors only) at the commit that `revision` names now.

    Returns {repo, revision (sha, or "local"), path, id (of the content), shapes (linear module
    -> [out, in])}. A local folder is taken where it lies.
    UserError where the repository cannot be had.
    """
    if Path(repo).is_dir():
        path, sha = Path(repo), "local"
    else:
        path, sha = _download(repo, revision)
    shards = sorted(path.glob("*.safetensors"))
    if not shards:
        raise UserError(f"{repo}: no *.safetensors file; other formats are never loaded")
    names = sorted(file.name for file in path.glob("[!.]*") if file.is_file())
    # A commit sha vouches for every file of it; a folder is what its files are.
    content = sha if sha != "local" else {name: sha256_file(path / name) for name in names}
    return {
        "repo": repo,
        "revision": sha,
        "path": str(path),
        "id": sha256_text(canonical_json([repo if sha != "local" else "", content])),
        "shapes": {name: shape for shard in shards for name, shape in _shapes(shard).items()},
    }


def _download(repo: str, revision: str) -> tuple[Path, str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        path = Path(snapshot_download(repo, revision=revision, allow_patterns=list(WANTED)))
    except GatedRepoError:
        raise UserError(
            f"base.repo: {repo} is gated: accept its licence on its page and set HF_TOKEN"
        ) from None
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        message = " ".join(str(error).split())[:300]
        raise UserError(f"base.repo: {repo}@{revision} cannot be had: {message}") from None
    return path, path.name


def _shapes(shard: Path) -> dict[str, list[int]]:
    """Linear module -> [out, in] from the header of a safetensors file; no embeddings, no head."""
    with open(shard, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(length))
    return {
        name.removesuffix(".weight"): entry["shape"]
        for name, entry in header.items()
        if name.endswith(".weight")
        and len(entry["shape"]) == 2
        and not any(part in name for part in ("embed", "lm_head", "wte", "wpe"))
    }


def read_base(path: str | Path) -> dict[str, Any]:
    """What `freeze` returned, from base.json."""
    base: dict[str, Any] = read_json(path)
    if not Path(base["path"]).is_dir():
        raise UserError(
            f"{path}: {base['path']} is gone, or not seen by {platform.node()}: on a cluster "
            f"HF_HOME must be a folder that every node sees; delete {path} to fetch the base again"
        )
    return base


def local_copy(base: Mapping[str, Any], scratch: str) -> Path:
    """The base's files, copied to a node's own disk by the first job there that asks.

    scratch: a folder, created if need be; variables in it are expanded here. Jobs that ask at the
    same time wait for one of them to copy; one that is killed leaves no copy that counts.
    """
    root = Path(os.path.expandvars(scratch)).expanduser()
    if "$" in str(root):
        raise UserError(f"base.scratch: {scratch} names a variable not set on {platform.node()}")
    copy = root / f"base-{base['id'][:16]}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with open(f"{copy}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not copy.is_dir():
                _copy_files(Path(base["path"]), copy)
    except OSError as error:
        raise UserError(
            f"base.scratch: {root} on {platform.node()} cannot take the base ({error}); "
            "name another folder, or null to load it from where it was downloaded"
        ) from None
    return copy


def _copy_files(source: Path, target: Path) -> None:
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)  # of a job that was killed
    part.mkdir()
    try:
        for file in source.iterdir():
            if file.is_file():
                shutil.copyfile(file, part / file.name)
        part.rename(target)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        raise


def load_tokenizer(base: Mapping[str, Any]) -> Any:
    """The base's tokenizer, for left-padded generation."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base["path"])
    if tokenizer.chat_template is None:
        raise UserError(f"{base['repo']}: its tokenizer has no chat template")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    return tokenizer


def load_model(base: Mapping[str, Any], dtype: str, device: str, scratch: str | None = None) -> Any:
    """The base model, in evaluation mode, its parameters frozen, on `device` (auto, cpu, cuda).

    scratch: a folder of this node from which to load it, see `local_copy`.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # a job says what it does a run at a time
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device == "cuda" and not torch.cuda.is_available():
        raise UserError("base.device: cuda was asked for, but torch sees no GPU on this machine")
    with spending("loading"):
        folder = local_copy(base, scratch) if scratch else base["path"]
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), use_safetensors=True
        )
        return model.to(device).eval().requires_grad_(False)
