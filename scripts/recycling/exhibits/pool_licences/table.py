"""The licences of the adapters in the pool, and what a merge would inherit."""

from typing import Any

from recycling.exhibits.source import Source
from recycling.files import read_tsv
from recycling.hub.pool_summary import LICENCE_COLUMNS, licence_summary

COLUMNS = LICENCE_COLUMNS


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return licence_summary(read_tsv(source.inputs["pool"]))
