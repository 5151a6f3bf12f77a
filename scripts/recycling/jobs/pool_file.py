"""Reading a pool's file. Apart from `members`, so that it needs no torch."""

from pathlib import Path

from recycling.errors import UserError
from recycling.files import read_tsv


def read_pool(pool_tsv: str | Path) -> list[dict[str, str]]:
    """The rows of a pool's file, one per adapter. Raises UserError if the pool is empty."""
    rows = read_tsv(pool_tsv)
    if not rows:
        rejected = Path(pool_tsv).with_name("rejected.tsv")
        raise UserError(f"{pool_tsv}: the pool is empty; see {rejected} for the reasons")
    return rows
