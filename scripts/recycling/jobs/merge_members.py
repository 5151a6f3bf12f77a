"""Which adapters a run merges, and in which order."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recycling.errors import UserError
from recycling.files import read_tsv
from recycling.jobs.members import Member, pool_members, target_members
from recycling.lora.reinit import reinitialise
from recycling.select.ranking import Ranking, window
from recycling.store.store import Store


class Members:
    """Answers, for the runs of one batch, which adapters take part.

    pools: pool -> its pool.tsv. selections: (pool, task) -> the task's selections file. targets:
    the files of the runs that trained the target LoRAs, which are `verified` unless nobody will
    open them.
    """

    def __init__(
        self,
        pools: Mapping[str, str],
        selections: Mapping[tuple[str, str], str],
        targets: Sequence[str],
        store: Store,
        *,
        verified: bool = True,
    ):
        self._pools = {pool: pool_members(path) for pool, path in pools.items()}
        self._rankings = {draw: _rankings(path) for draw, path in selections.items()}
        self._files = selections
        self._targets = target_members(targets, store, verified=verified)

    def of(self, run: Mapping[str, Any]) -> list[Member]:
        """The adapters of a run, the target LoRA first. UserError where the pool is too small."""
        with_target = run["target"] == "with"
        members = [self._targets[run["task"], run["seed"]]] if with_target else []
        if run["k"] == len(members):
            return members
        draw = run["pool"], run["task"]
        ranking = self._rankings[draw][run["selection"], run["seed"]]
        try:
            chosen = window(ranking, run["k"], target=with_target, skip=run["skip"])
        except UserError as error:
            raise UserError(f"{self._files[draw]}: {error}") from None
        return members + [self._pools[run["pool"]][name] for name in chosen]


def members_of_job(
    inputs: Any, settings: Mapping[str, Any], store: Store, *, verified: bool = True
) -> Members:
    """The members of a batch from a rule's inputs: `pools`, `selections` and `targets`.

    settings["draws"] names (pool, task) in the order of the selections' files, and the pools in
    the order of theirs.
    """
    draws = [(pool, task) for pool, task in settings["draws"]]
    pools = dict(zip(dict.fromkeys(pool for pool, _ in draws), inputs.pools, strict=True))
    selections = dict(zip(draws, inputs.selections, strict=True))
    return Members(pools, selections, inputs.targets, store, verified=verified)


def opened(
    members: Sequence[Member], run: Mapping[str, Any], **options: Any
) -> list[Mapping[str, Any]]:
    """The adapters themselves, after the run's re-initialisation (the random-init control).

    options: of `Adapter.open`. reinit: "all" replaces every adapter, "others" all but the target
    LoRA, "others_norm_matched" the same with each adapter's norm kept.
    """
    adapters: list[Mapping[str, Any]] = [member.open(**options) for member in members]
    if run["reinit"] == "none":
        return adapters
    kept = 0 if run["reinit"] == "all" else int(run["target"] == "with")
    norm_matched = run["reinit"] == "others_norm_matched"
    noise = reinitialise(
        adapters[kept:], seed=run["seed"], match="adapter" if norm_matched else "module"
    )
    return [*adapters[:kept], *noise]


def _rankings(path: str | Path) -> dict[tuple[str, int], Ranking]:
    """(selection, seed) -> the pool, best first."""
    rows: dict[tuple[str, int], list[dict[str, str]]] = {}
    for row in sorted(read_tsv(path), key=lambda row: int(row["position"])):
        rows.setdefault((row["selection"], int(row["seed"])), []).append(row)
    return {
        key: Ranking(
            tuple(row["repo_id"] for row in found), tuple(float(row["score"]) for row in found)
        )
        for key, found in rows.items()
    }
