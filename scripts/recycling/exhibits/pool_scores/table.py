"""The score of every pool adapter on every task, as selection by evaluation sees it."""

from typing import Any

from recycling.analysis.selections import Selections, evaluation_scores, load_selections
from recycling.exhibits.source import Source

COLUMNS = ("task", "repo_id", "score")


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return pool_scores(load_selections(source.paths("selections")))


def pool_scores(selections: Selections) -> list[dict[str, Any]]:
    """One row per task and adapter: the score that the evaluation rule orders by."""
    return [
        {"task": task, "repo_id": name, "score": score}
        for task, rows in selections.items()
        for name, score in sorted(evaluation_scores(rows).items())
    ]
