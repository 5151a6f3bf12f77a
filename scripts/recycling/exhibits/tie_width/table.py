"""How many adapters tie where a selection by evaluation is cut."""

from typing import Any

from recycling.analysis.selections import Selections, evaluation_scores, load_selections
from recycling.exhibits.source import Source
from recycling.select.ranking import Ranking

COLUMNS = ("task", "cut", "tied", "adapters")
MOST_CUTS = 50


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return tie_widths(load_selections(source.paths("selections")))


def tie_widths(selections: Selections) -> list[dict[str, Any]]:
    """One row per task and cut (1, 2, ... adapters taken): how many adapters share the score there.

    tied: 0 where the cut falls between unequal scores, as returned by `Ranking.tie_width`.
    """
    rows = []
    for task, chosen in selections.items():
        scores = sorted(
            (float(score) for score in evaluation_scores(chosen).values()), reverse=True
        )
        ranking = Ranking(("",) * len(scores), tuple(scores))
        rows += [
            {"task": task, "cut": cut, "tied": ranking.tie_width(cut), "adapters": len(scores)}
            for cut in range(1, min(MOST_CUTS, len(scores) - 1) + 1)
        ]
    return rows
