"""Repositories that hold the same weights as an earlier one."""

from typing import Any

from recycling.exhibits.source import Source
from recycling.files import read_tsv
from recycling.hub.pool_summary import COPY_COLUMNS, copies

COLUMNS = COPY_COLUMNS


def rows(source: Source) -> list[dict[str, Any]]:
    """The table of a study."""
    return copies(read_tsv(source.inputs["pool"]), read_tsv(source.inputs["rejected"]))
