"""The base model: frozen to one revision, described once, loaded by the jobs that need it."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recycling.errors import UserError
from recycling.files import canonical_json, read_json, sha256_file, sha256_text

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
    names = sorted(file.name for file in path.iterdir() if file.is_file())
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
        raise UserError(f"{path}: {base['path']} is gone; delete {path} to fetch the base again")
    return base


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


def load_model(base: Mapping[str, Any], dtype: str, device: str) -> Any:
    """The base model, in evaluation mode, its parameters frozen, on `device` (auto, cpu, cuda)."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # a job says what it does a run at a time
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device == "cuda" and not torch.cuda.is_available():
        raise UserError("base.device: cuda was asked for, but torch sees no GPU on this machine")
    model: Any = AutoModelForCausalLM.from_pretrained(
        base["path"], dtype=getattr(torch, dtype), use_safetensors=True
    )
    return model.to(device).eval().requires_grad_(False)
