"""What single pool adapters add to the base: gains on the examples that selection looks at.

The best of many adapters on a hundred examples is best by luck too (the winner's curse). So the
best one's gain is shown once more, on examples that did not choose it: on the test split where the
pool was scored on it, else chosen on the training examples and seen on the validation examples.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recycling.analysis.numbers import exact
from recycling.exhibits.source import Source
from recycling.files import read_tsv
from recycling.select.evaluation import BASE, accuracies, pooled

QUANTILES = {"least": 0.0, "lower": 0.25, "middle": 0.5, "upper": 0.75, "best": 1.0}
COLUMNS = (
    "task", "examples", "base", "adapters", "better", "equal", "worse", *QUANTILES, "n_best",
    "best_repo_id", "chosen_on", "seen_on", "chosen_gain", "seen_gain",
)  # fmt: skip
TIE = 1e-9

Row = Mapping[str, str]


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    scores = [row for path in source.paths("scores") for row in read_tsv(path)]
    return gains_table(scores, source.settings["tasks"], source.settings["splits"])


def gains_table(
    rows: Sequence[Row], tasks: Sequence[str], splits: Sequence[str]
) -> list[dict[str, Any]]:
    """One row per task.

    rows: of scores tables, the base's among them. splits: those that selection looks at. least to
    best: quantiles over adapters of score - base. n_best: adapters that share the best score;
    best_repo_id: the first of them by name. chosen_gain, seen_gain: the mean gain of the adapters
    that are best on the split(s) `chosen_on`, there and on `seen_on`; blank where no split is left.
    """
    table = []
    for task in tasks:
        own = [row for row in rows if row["task"] == task]
        base = next(row for row in own if row["repo_id"] == BASE)
        gains = _gains(own, base, task, splits)
        values = np.array(list(gains.values()))
        best = _best(gains)
        table.append(
            {
                "task": task,
                "examples": sum(int(base[f"n_{split}"]) for split in splits),
                "base": exact(pooled(base, splits)),
                "adapters": len(gains),
                "better": int((values > TIE).sum()),
                "equal": int((np.abs(values) <= TIE).sum()),
                "worse": int((values < -TIE).sum()),
                **{name: exact(np.quantile(values, at)) for name, at in QUANTILES.items()},
                "n_best": len(best),
                "best_repo_id": best[0],
                **_held_out(own, base, task, splits),
            }
        )
    return table


def _held_out(own: Sequence[Row], base: Row, task: str, splits: Sequence[str]) -> dict[str, Any]:
    """The gain of the best adapters where they were chosen, and on examples that they were not."""
    if base.get("test"):
        chosen_on, seen_on = list(splits), "test"
    elif base.get("validation"):
        chosen_on, seen_on = ["train"], "validation"
    else:
        return {}
    chosen, seen = (_gains(own, base, task, part) for part in (chosen_on, [seen_on]))
    best = _best(chosen)
    return {
        "chosen_on": "+".join(chosen_on),
        "seen_on": seen_on,
        "chosen_gain": exact(chosen[best[0]]),
        "seen_gain": exact(float(np.mean([seen[name] for name in best]))),
    }


def _gains(own: Sequence[Row], base: Row, task: str, splits: Sequence[str]) -> dict[str, float]:
    level = pooled(base, splits)
    return {name: score - level for name, score in accuracies(own, task, splits).items()}


def _best(gains: Mapping[str, float]) -> list[str]:
    top = max(gains.values())
    return sorted(name for name, gain in gains.items() if gain >= top - TIE)
