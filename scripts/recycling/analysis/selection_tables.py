"""What selection by evaluation sees: each adapter's score on each task, and how many tie."""

from collections.abc import Mapping, Sequence
from typing import Any

from recycling.select.ranking import Ranking

SCORE_COLUMNS = ("task", "repo_id", "score")
TIE_COLUMNS = ("task", "cut", "tied", "adapters")
MOST_CUTS = 50

Selections = Mapping[str, Sequence[Mapping[str, str]]]  # task -> rows of its selections file


def pool_scores(selections: Selections) -> list[dict[str, Any]]:
    """One row a task and adapter: the score that the evaluation rule orders by."""
    return [
        {"task": task, "repo_id": name, "score": score}
        for task, rows in selections.items()
        for name, score in sorted(_scores(rows).items())
    ]


def tie_widths(selections: Selections) -> list[dict[str, Any]]:
    """One row a task and cut (1, 2, ... adapters taken): how many adapters share the score there.

    tied: 0 where the cut falls between unequal scores, as of `Ranking.tie_width`.
    """
    rows = []
    for task, chosen in selections.items():
        scores = sorted((float(score) for score in _scores(chosen).values()), reverse=True)
        ranking = Ranking(("",) * len(scores), tuple(scores))
        rows += [
            {"task": task, "cut": cut, "tied": ranking.tie_width(cut), "adapters": len(scores)}
            for cut in range(1, min(MOST_CUTS, len(scores) - 1) + 1)
        ]
    return rows


def _scores(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """repo_id -> score under the evaluation rule, which is the same for every seed."""
    return {row["repo_id"]: row["score"] for row in rows if row["selection"] == "evaluation"}
