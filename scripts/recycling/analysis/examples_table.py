"""The claims' comparisons example by example, each task and seed on its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from recycling.analysis.comparisons import CLAIMS, Comparison
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings
from recycling.analysis.resolve import resolve
from recycling.analysis.runs import Missing
from recycling.errors import UserError

COLUMNS = (
    "comparison", "effect_is", "task", "seed", "n", "both", "only_a", "only_b", "neither",
    "difference", "difference_low", "difference_high", "mcnemar_p", "mcnemar_p_holm",
)  # fmt: skip

Answers = Mapping[str, bool]  # example id -> answered exactly


def examples_table(
    runs: pd.DataFrame,
    answers_of: Callable[[str], Answers],
    settings: Settings,
    comparisons: Sequence[Comparison] = CLAIMS,
) -> list[dict[str, Any]]:
    """One row a comparison, task and seed: who answers what, interval, McNemar's exact test.

    answers_of: a run's answers by its key. difference_*: percentile bootstrap over examples.
    mcnemar_p_holm: corrected over the rows of a comparison. UserError where two runs of a pair were
    scored on different examples.
    """
    rows = []
    for comparison in comparisons:
        try:
            pairs = resolve(runs, comparison).pairs
        except Missing as missing:
            print(f"left out of the examples: {comparison.id}: {missing}")
            continue
        part = [
            {
                "comparison": comparison.id,
                "effect_is": comparison.effect_is,
                "task": pair["task"],
                "seed": pair["seed"],
                **compare(answers_of(pair["key_a"]), answers_of(pair["key_b"]), settings),
            }
            for pair in pairs.to_dict("records")
        ]
        ps = multipletests([row["mcnemar_p"] for row in part], method="holm")[1]
        for row, p in zip(part, ps, strict=True):
            rows.append(
                row | {"mcnemar_p": exact(row["mcnemar_p"]), "mcnemar_p_holm": exact(float(p))}
            )
    return rows


def compare(a: Answers, b: Answers, settings: Settings) -> dict[str, Any]:
    """Counts of a 2 x 2 table, the difference with its interval, and McNemar's exact p."""
    if a.keys() != b.keys():
        odd = sorted(a.keys() ^ b.keys())[0]
        raise UserError(f"two runs of one task were scored on different examples (such as {odd})")
    pairs = [(a[example], b[example]) for example in a]
    cells = [pairs.count(cell) for cell in ((True, True), (True, False), (False, True))]
    both, only_a, only_b = cells
    counts = [*cells, len(pairs) - sum(cells)]
    n = len(pairs)
    drawn = np.random.default_rng(settings.seed).multinomial(
        n, np.array(counts) / n, size=settings.resamples
    )
    low, high = np.quantile(
        (drawn[:, 1] - drawn[:, 2]) / n, [settings.alpha / 2, 1 - settings.alpha / 2]
    )
    table = [[both, only_a], [only_b, counts[3]]]
    return {
        "n": n,
        "both": both,
        "only_a": only_a,
        "only_b": only_b,
        "neither": counts[3],
        "difference": exact((only_a - only_b) / n),
        "difference_low": exact(float(low)),
        "difference_high": exact(float(high)),
        "mcnemar_p": float(mcnemar(table, exact=True).pvalue),
    }
