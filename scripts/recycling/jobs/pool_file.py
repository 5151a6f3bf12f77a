"""A pool's file. Kept apart from its adapters: reading it needs no torch."""

from pathlib import Path

from recycling.errors import UserError
from recycling.files import read_tsv


def pool_rows(pool_tsv: str | Path) -> list[dict[str, str]]:
    """The rows of a pool's file. UserError where the pool is empty."""
    rows = read_tsv(pool_tsv)
    if not rows:
        reasons = Path(pool_tsv).with_name("rejected.tsv")
        raise UserError(f"{pool_tsv}: the pool is empty; {reasons} says why of each candidate")
    return rows
