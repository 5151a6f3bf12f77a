"""Comparisons example by example against hand-worked cases."""

import math

import pytest
from tests.analysis.synthetic import COLUMNS, row

from recycling.analysis.paired import Settings
from recycling.analysis.runs import load_runs
from recycling.errors import UserError
from recycling.exhibits.examples.table import compare, examples_table
from recycling.files import write_tsv

SETTINGS = Settings(resamples=4000)


def answers(pattern):
    return {f"example-{place}": letter == "1" for place, letter in enumerate(pattern)}


def test_counts_difference_and_exact_p_by_hand():
    found = compare(answers("1111110000"), answers("1000001000"), SETTINGS)
    assert [found[name] for name in ("n", "both", "only_a", "only_b", "neither")] == [
        10, 1, 5, 1, 3,
    ]  # fmt: skip
    assert found["difference"] == "0.400000"
    # Six discordant examples, five for a: twice the chance of at most one of six.
    assert found["mcnemar_p"] == pytest.approx(2 * (1 + 6) / 2**6)


def test_interval_is_that_of_a_paired_difference():
    a, b = answers("1" * 60 + "0" * 40), answers("1" * 40 + "0" * 60)
    found = compare(a, b, SETTINGS)
    # Only a: 20, only b: 0. Standard error sqrt(0.2 - 0.2**2) / 10 = 0.04.
    error = math.sqrt(0.2 - 0.04) / 10
    assert float(found["difference_low"]) == pytest.approx(0.2 - 1.96 * error, abs=0.015)
    assert float(found["difference_high"]) == pytest.approx(0.2 + 1.96 * error, abs=0.015)


def test_equal_answers_and_different_examples():
    assert compare(answers("1100"), answers("1100"), SETTINGS)["mcnemar_p"] == 1.0
    with pytest.raises(UserError, match="different examples"):
        compare(answers("11"), answers("111"), SETTINGS)


def test_holm_within_a_comparison(tmp_path):
    rows = []
    patterns = {}
    for task, ours in (("a", "1" * 20), ("b", "1" * 8 + "0" * 12), ("c", "0" * 20)):
        for method, pattern in (("ours", ours), ("target_lora", "0" * 20)):
            made = row("main", method, task, "0", pattern.count("1") / 20, target="with",
                       k=5 * (method == "ours"), selection="evaluation")  # fmt: skip
            patterns[made["key"]] = answers(pattern)
            rows.append(made)
    write_tsv(tmp_path / "runs.tsv", COLUMNS, rows)
    table = examples_table(load_runs(tmp_path / "runs.tsv"), patterns.__getitem__, SETTINGS)
    assert {r["comparison"] for r in table} == {"C2"}
    expected = [3 * 2 / 2**20, 2 * 2 / 2**8, 1.0]
    assert [float(r["mcnemar_p_holm"]) for r in table] == pytest.approx(expected, abs=1e-6)
