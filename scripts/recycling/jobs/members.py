"""Adapters that can be merged: a pool's and the trained ones, and what identifies their content."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recycling.errors import Outdated
from recycling.files import sha256_file
from recycling.jobs.batch import read_runs
from recycling.jobs.pool_file import pool_rows
from recycling.lora.adapter import WEIGHTS, Adapter
from recycling.store.store import Store

ADAPTER = "adapter"


@dataclass(frozen=True)
class Member:
    """One adapter of a merge.

    content: sha256 of its weights, or the key of its training run. pool: the file that lists the
    adapter with that sha256, where there is one.
    """

    name: str
    folder: Path
    content: str
    pool: Path | None = None

    def open(self, **options: Any) -> Adapter:
        """The adapter. Outdated where its weights are not those that its pool lists."""
        if self.pool is not None and _sha256(self.folder / WEIGHTS) != self.content:
            problem = f"{self.folder / WEIGHTS}: gone, or not the file that {self.pool} lists"
            raise Outdated(problem, self.pool)
        return Adapter.open(self.folder, name=self.name, **options)


def pool_members(pool_tsv: str | Path) -> dict[str, Member]:
    """The adapters of a pool by repo_id. Folders are relative to the pool's file."""
    path = Path(pool_tsv)
    return {
        row["repo_id"]: Member(row["repo_id"], path.parent / row["folder"], row["sha256"], path)
        for row in pool_rows(path)
    }


def target_members(
    files: Sequence[str | Path], store: Store, *, verified: bool = True
) -> dict[tuple[str, int], Member]:
    """The trained LoRAs in these run files by (task, seed), of the method as it is configured.

    verified: Outdated, as to the files that name them, where some are not in the store.
    """
    found = {}
    lost: dict[str, str | Path] = {}
    for path in files:
        for run in read_runs(path):
            if run["variant"]:
                continue
            name = f"{run['method']} on {run['task']}, seed {run['seed']}"
            folder = store.get(run["key"]) if verified else store.folder(run["key"])
            if folder is None:
                lost[name] = path
            else:
                found[run["task"], run["seed"]] = Member(name, folder / ADAPTER, run["key"])
    if lost:
        problem = f"gone from the store, or damaged: {', '.join(lost)}"
        raise Outdated(problem, *dict.fromkeys(lost.values()))
    return found


@functools.cache
def _sha256(path: Path) -> str | None:
    """The hash of a file, taken once a process; None if there is no such file."""
    return sha256_file(path) if path.is_file() else None
