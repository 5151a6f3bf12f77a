"""What became of the candidates, reason by reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from recycling.exhibits.source import Source
from recycling.files import read_tsv
from recycling.hub.reasons import REASONS

COLUMNS = ("step", "reason", "meaning", "adapters", "left")


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return funnel(read_tsv(source.inputs["pool"]), read_tsv(source.inputs["rejected"]))


def funnel(
    kept: Sequence[Mapping[str, str]], rejected: Sequence[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """The candidates, one row per reason in the order of the screening, and the pool.

    step: "candidates", the stage that rejected (listing, config, header, weights), or "pool".
    left: adapters that remain after the row.
    """
    left = len(kept) + len(rejected)
    rows = [_step("candidates", "", "", left, left)]
    counts = Counter(row["reason"] for row in rejected)
    known = {reason: place for place, reason in enumerate(REASONS)}
    for reason in sorted(counts, key=lambda reason: (known.get(reason, len(known)), reason)):
        stage, meaning = REASONS.get(reason, ("other", ""))
        left -= counts[reason]
        rows.append(_step(stage, reason, meaning, counts[reason], left))
    return [*rows, _step("pool", "", "", left, left)]


def _step(step: str, reason: str, meaning: str, adapters: int, left: int) -> dict[str, Any]:
    values = (step, reason, meaning, adapters, left)
    return dict(zip(COLUMNS, values, strict=True))
