"""Adapters that can be merged, of a pool or trained by the study, and what identifies each."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recycling.errors import Outdated
from recycling.files import sha256_file
from recycling.jobs.batch import read_runs
from recycling.jobs.pool_file import read_pool
from recycling.lora.adapter import WEIGHTS, Adapter
from recycling.store.store import Store
from recycling.study.run import Run

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
        """The adapter. Raises Outdated if its weights are not those that its pool lists."""
        if self.pool is not None and _sha256(self.folder / WEIGHTS) != self.content:
            problem = f"{self.folder / WEIGHTS}: gone, or not the file that {self.pool} lists"
            raise Outdated(problem, self.pool)
        return Adapter.open(self.folder, name=self.name, **options)


def pool_members(pool_tsv: str | Path) -> dict[str, Member]:
    """The adapters of a pool by repo_id. Folders are relative to the pool's file."""
    path = Path(pool_tsv)
    return {
        row["repo_id"]: Member(row["repo_id"], path.parent / row["folder"], row["sha256"], path)
        for row in read_pool(path)
    }


def target_members(
    files: Sequence[str | Path], store: Store, *, verified: bool = True
) -> dict[tuple[str, int], Member]:
    """The LoRAs that the runs in these files trained, by (task, seed); no variants.

    verified: check that the store has them. Raises Outdated if not, with the files that name
    them.
    """
    members = {}
    lost: dict[str, str | Path] = {}
    for path in files:
        for line in read_runs(path):
            run, key = Run.from_json(line), line["key"]
            if run.variant:
                continue
            name = f"{run.method} on {run.task}, seed {run.seed}"
            folder = store.get(key) if verified else store.folder(key)
            if folder is None:
                lost[name] = path
            else:
                members[run.task, run.seed] = Member(name, folder / ADAPTER, key)
    if lost:
        problem = f"gone from the store, or damaged: {', '.join(lost)}"
        raise Outdated(problem, *dict.fromkeys(lost.values()))
    return members


@functools.cache
def _sha256(path: Path) -> str | None:
    """The hash of a file, taken once a process; None if there is no such file."""
    return sha256_file(path) if path.is_file() else None
