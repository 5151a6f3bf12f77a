"""Repositories that hold the same weights as an earlier one."""

from typing import Any

from recycling.exhibits.source import Source
from recycling.files import read_tsv
from recycling.hub.pool_summary import COPY_COLUMNS, copies

COLUMNS = COPY_COLUMNS


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return copies(read_tsv(source.inputs["pool"]), read_tsv(source.inputs["rejected"]))
