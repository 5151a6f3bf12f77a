"""pool.tsv and rejected.tsv: every candidate is in exactly one of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recycling.files import write_tsv
from recycling.hub.adapter_config import LoraConfig
from recycling.hub.candidates import WEIGHTS, Candidate
from recycling.hub.reasons import Reject
from recycling.hub.safetensors_header import Pair

Row = dict[str, Any]
COLUMNS = [
    *("repo_id", "sha", "author", "licence", "rank", "alpha", "rslora", "modules", "n_modules"),
    *("norm", "bytes", "sha256", "folder", "downloads", "created"),
]
REJECTED = [*COLUMNS, "reason", "detail"]


def listed_row(candidate: Candidate) -> Row:
    """The columns that the listing alone provides."""
    weights = candidate.file(WEIGHTS)
    kind, _, digest = (weights.digest if weights else "").partition(":")
    return {
        "repo_id": candidate.repo_id,
        "sha": candidate.sha,
        "author": candidate.author,
        "licence": candidate.licence,
        "bytes": weights.size if weights else "",
        "sha256": digest if kind == "sha256" else "",
        "downloads": candidate.downloads,
        "created": candidate.created,
    }


def adapter_facts(config: LoraConfig, pairs: Mapping[str, Pair]) -> Row:
    """The columns that config and header provide: largest rank and its alpha, kinds of modules."""
    largest = max(sorted(pairs), key=lambda module: pairs[module].rank)
    return {
        "rank": pairs[largest].rank,
        "alpha": f"{config.alpha_of(largest):g}",
        "rslora": "true" if config.rslora else "false",
        "modules": ",".join(sorted({module.rsplit(".", 1)[-1] for module in pairs})),
        "n_modules": len(pairs),
    }


def rejected_row(candidate: Candidate, reject: Reject, facts: Row) -> Row:
    """A candidate's row in rejected.tsv."""
    return {**listed_row(candidate), **facts, "reason": reject.reason, "detail": reject.detail}


def write_pool(folder: Path, kept: Sequence[Row], rejected: Sequence[Row]) -> None:
    """Write folder/pool.tsv and folder/rejected.tsv."""
    write_tsv(folder / "rejected.tsv", REJECTED, rejected)
    write_tsv(folder / "pool.tsv", COLUMNS, kept)
