"""Which adapters a run merges, and in which order."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recycling.errors import UserError
from recycling.files import read_tsv
from recycling.jobs.control import transformed
from recycling.jobs.members import Member, pool_members, target_members
from recycling.lora.reinit import reinitialise
from recycling.select.ranking import Ranking, window
from recycling.store.store import Store
from recycling.study.orders import Draw
from recycling.study.run import Run


class MergeMembers:
    """Which adapters take part in each run of a batch.

    draws: the pools from which the runs draw. targets: the files of the runs that trained the
    target LoRAs. verified: check that the store has these LoRAs; only a job that opens none may
    go without.
    """

    def __init__(
        self,
        draws: Iterable[Draw],
        targets: Sequence[str | Path],
        store: Store,
        *,
        verified: bool = True,
    ):
        self._draws = {(draw.pool, draw.task): draw for draw in draws}
        self._pools = {
            pool: pool_members(path)
            for pool, path in {draw.pool: draw.pool_file for draw in self._draws.values()}.items()
        }
        self._rankings = {
            key: _read_rankings(draw.selection_file) for key, draw in self._draws.items()
        }
        self._targets = target_members(targets, store, verified=verified)

    def of(self, run: Run) -> list[Member]:
        """The adapters of a run, target LoRA first. Raises UserError if the pool is too small."""
        with_target = run.target == "with"
        members = [self._targets[run.task, run.seed]] if with_target else []
        if run.n_pool == 0:
            return members
        key = run.pool, run.task
        ranking = self._rankings[key][run.selection, run.seed]
        try:
            names = window(ranking, run.k, target=with_target, skip=run.skip)
        except UserError as error:
            raise UserError(f"{self._draws[key].selection_file}: {error}") from None
        return members + [self._pools[run.pool][name] for name in names]


def load_adapters(
    members: Sequence[Member], run: Run, controls: Mapping[str, Any], **options: Any
) -> list[Mapping[str, Any]]:
    """The adapters of a run, re-initialised where the run says so (the random-init control).

    options: of `Adapter.open`. reinit "all" replaces every adapter, "others" all but the target
    LoRA, "others_norm_matched" does the same and keeps each adapter's norm. controls: those that
    the study defines, by name.
    """
    adapters: list[Mapping[str, Any]] = [member.open(**options) for member in members]
    if run.reinit == "none":
        return adapters
    if run.reinit in controls:
        return transformed(adapters, run, controls[run.reinit])
    kept = 0 if run.reinit == "all" else int(run.target == "with")
    norm_matched = run.reinit == "others_norm_matched"
    noise = reinitialise(
        adapters[kept:], seed=run.seed, match="adapter" if norm_matched else "module"
    )
    return [*adapters[:kept], *noise]


def _read_rankings(path: str | Path) -> dict[tuple[str, int], Ranking]:
    """(selection, seed) -> the pool, best first."""
    groups: dict[tuple[str, int], list[dict[str, str]]] = {}
    for row in sorted(read_tsv(path), key=lambda row: int(row["position"])):
        groups.setdefault((row["selection"], int(row["seed"])), []).append(row)
    return {
        key: Ranking(
            tuple(row["repo_id"] for row in rows), tuple(float(row["score"]) for row in rows)
        )
        for key, rows in groups.items()
    }
