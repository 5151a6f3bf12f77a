"""The weights that a study's own selection may look at: the pool's and the target LoRA's."""

from collections.abc import Sequence

from recycling.jobs.members import pool_members, target_members
from recycling.lora.adapter import Adapter
from recycling.store.store import Store


def pool_adapters(pool_tsv: str) -> dict[str, Adapter]:
    """The adapters of a pool by repo_id; a module's factors are read when they are asked for."""
    return {name: member.open() for name, member in pool_members(pool_tsv).items()}


def target_lora(files: Sequence[str], store: str, task: str, seed: int) -> Adapter:
    """The target LoRA of a task and seed. files: of the runs that trained the target LoRAs."""
    return target_members(files, Store(store))[task, seed].open()
