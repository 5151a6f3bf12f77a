"""The claims' comparisons example by example, each task and seed on its own."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from recycling.analysis.comparisons import CLAIMS, Comparison
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings
from recycling.analysis.resolve import resolve
from recycling.analysis.runs import Missing, load_runs
from recycling.errors import Outdated, UserError
from recycling.evaluate.records import read_records
from recycling.exhibits.inputs import load_statistics
from recycling.exhibits.source import Source
from recycling.files import read_tsv
from recycling.jobs.batch import files_with
from recycling.store.store import Store

COLUMNS = (
    "comparison", "effect_is", "task", "seed", "n", "both", "only_a", "only_b", "neither",
    "difference", "difference_low", "difference_high", "mcnemar_p", "mcnemar_p_holm",
)  # fmt: skip

Answers = Mapping[str, bool]  # example id -> answered exactly


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table. Raises Outdated if the store no longer has a run that is compared."""
    store, path = Store(source.store), source.inputs["runs"]

    @functools.cache
    def answers_of(key: str) -> dict[str, bool]:
        folder = store.get(key)
        if folder is None:
            keys = {row["key"] for row in read_tsv(path)}
            missing = {key for key in keys if not store.folder(key).is_dir()}
            problem = f"{len(missing)} runs to be compared are missing or damaged in the store"
            raise Outdated(problem, *files_with(missing, Path(path).parent / "runs"))
        return {record.id: record.correct for record in read_records(folder / "records.jsonl.gz")}

    return examples_table(load_runs(path), answers_of, load_statistics(source))


def examples_table(
    runs: pd.DataFrame,
    answers_of: Callable[[str], Answers],
    settings: Settings,
    comparisons: Sequence[Comparison] = CLAIMS,
) -> list[dict[str, Any]]:
    """One row per comparison, task and seed: who answers what, interval, McNemar's exact test.

    answers_of: a run's answers by its key. difference_*: percentile bootstrap over examples.
    mcnemar_p_holm: corrected over the rows of a comparison. Raises UserError if the two runs of a
    pair were scored on different examples.
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
