"""Selections files, as tables about the pool read them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recycling.files import read_tsv

Selections = Mapping[str, Sequence[Mapping[str, str]]]  # task -> rows of its selections file


def load_selections(paths: Sequence[str]) -> Selections:
    """The selections in these files, one per task."""
    return {Path(path).stem: read_tsv(path) for path in paths}


def evaluation_scores(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """repo_id -> score under the evaluation rule, which is the same for every seed."""
    return {row["repo_id"]: row["score"] for row in rows if row["selection"] == "evaluation"}
