"""Adapters that can be merged: a pool's and the trained ones, and what identifies their content."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recycling.files import read_tsv
from recycling.lora.adapter import Adapter
from recycling.runs.batch import read_runs
from recycling.store.store import Store

ADAPTER = "adapter"


@dataclass(frozen=True)
class Member:
    """One adapter of a merge. content: sha256 of its weights, or the key of its training run."""

    name: str
    folder: Path
    content: str

    def open(self, **options: Any) -> Adapter:
        return Adapter.open(self.folder, name=self.name, **options)


def pool_members(pool_tsv: str | Path) -> dict[str, Member]:
    """The adapters of a pool by repo_id. Folders are relative to the pool's file."""
    path = Path(pool_tsv)
    return {
        row["repo_id"]: Member(row["repo_id"], path.parent / row["folder"], row["sha256"])
        for row in read_tsv(path)
    }


def target_members(files: Sequence[str | Path], store: Store) -> dict[tuple[str, int], Member]:
    """The trained LoRAs in these run files by (task, seed), of the method as it is configured."""
    found = {}
    for path in files:
        for run in read_runs(path):
            if run["variant"]:
                continue
            name = f"{run['method']} on {run['task']}, seed {run['seed']}"
            folder = store.require(run["key"], name, path) / ADAPTER
            found[run["task"], run["seed"]] = Member(name, folder, run["key"])
    return found
