"""Pairing and tests against cases worked out by hand or by enumeration."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recycling.analysis.paired import Settings, one_sided, pair, summarise, tost, wilcoxon
from recycling.analysis.runs import Missing


def runs(method, rows):
    """Runs from (task, seed, accuracy)."""
    frame = pd.DataFrame(rows, columns=["task", "seed", "accuracy"])
    return frame.assign(method=method, key="k")


def test_pairs_need_the_same_task_and_seed():
    a = runs("ours", [("t", "0", 0.5), ("t", "1", 0.7), ("u", "0", 0.2), ("v", "0", 0.9)])
    b = runs("target_lora", [("t", "0", 0.4), ("t", "2", 0.1), ("u", "0", 0.3)])
    pairs = pair(a, b)
    assert pairs[["task", "seed"]].values.tolist() == [["t", "0"], ["u", "0"]]
    assert pairs["difference"].tolist() == pytest.approx([0.1, -0.1])


@pytest.mark.parametrize("seed", ["", "123"])
def test_zero_shot_stands_against_every_seed(seed):
    base = runs("zero_shot", [("t", seed, 0.2), ("u", seed, 0.3)])
    ours = runs("ours", [("t", "0", 0.5), ("t", "1", 0.7), ("u", "0", 0.2)])
    for pairs, sign in ((pair(ours, base), 1), (pair(base, ours), -1)):
        assert pairs["seed"].tolist() == ["0", "1", "0"]
        assert (sign * pairs["difference"]).tolist() == pytest.approx([0.3, 0.5, -0.1])


def test_nothing_in_common_is_said_in_words():
    with pytest.raises(Missing, match="no task and seed in common"):
        pair(runs("ours", [("t", "0", 0.5)]), runs("target_lora", [("t", "1", 0.5)]))


def test_summary_weighs_tasks_equally_whatever_their_seeds():
    a = runs("ours", [("t", "0", 0.5), ("t", "1", 0.7), ("u", "0", 0.2), ("v", "0", 0.4)])
    b = runs("average", [("t", "0", 0.4), ("t", "1", 0.5), ("u", "0", 0.4), ("v", "0", 0.4)])
    found = summarise(pair(a, b), Settings(resamples=500))
    # t: (0.1 + 0.2) / 2 = 0.15; u: -0.2; v: 0. Mean over tasks: -0.05 / 3.
    assert found["effect"] == pytest.approx(-0.05 / 3)
    assert found["mean_a"] == pytest.approx((0.6 + 0.2 + 0.4) / 3)
    assert found["mean_b"] == pytest.approx((0.45 + 0.4 + 0.4) / 3)
    assert (found["wins"], found["ties"], found["losses"]) == (1, 1, 1)
    assert (found["n_tasks"], found["n_seeds"]) == (3, 2)


def test_the_90_percent_interval_lies_inside_the_95_percent_interval():
    made = [(f"t{i}", "0", 0.5 + 0.01 * i * (-1) ** i) for i in range(12)]
    pairs = pair(runs("ours", made), runs("zero_shot", [(task, "", 0.4) for task, _, _ in made]))
    found = summarise(pairs, Settings(resamples=2000))
    assert found["ci_low"] < found["ci90_low"] < found["effect"]
    assert found["effect"] < found["ci90_high"] < found["ci_high"]


def test_one_task_has_an_effect_but_no_interval_and_no_test():
    pairs = pair(runs("a", [("t", "0", 0.5)]), runs("b", [("t", "0", 0.4)]))
    found = summarise(pairs, Settings(resamples=100))
    assert found["effect"] == pytest.approx(0.1)
    assert [found[name] for name in ("ci_low", "ci_high", "wilcoxon_p", "tost_p")] == [None] * 4


def test_wilcoxon_is_the_exact_share_of_sign_flips():
    differences = np.array([0.05, -0.01, 0.02, 0.04, 0.03, 0.06])
    ranks = stats.rankdata(np.abs(differences))
    statistic = ranks[differences > 0].sum()
    flips = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in itertools.product((0, 1), repeat=6)
    ]
    centre = np.mean(flips)
    share = np.mean([abs(value - centre) >= abs(statistic - centre) for value in flips])
    assert wilcoxon(differences) == pytest.approx(share)


def test_wilcoxon_with_nothing_to_tell():
    assert wilcoxon(np.zeros(5)) == 1.0
    assert wilcoxon(np.array([0.1])) is None
    # 0.3 - 0.2 and 0.2 - 0.1 differ in their last bit only, so they tie: all six alike.
    assert wilcoxon(np.array([0.3 - 0.2, 0.2 - 0.1] * 3)) == pytest.approx(2 / 2**6)


def test_wilcoxon_leaves_out_tasks_without_a_difference_and_stays_exact():
    # Five positive differences: one of 2^5 sign patterns at each end.
    assert wilcoxon(np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])) == pytest.approx(2 / 2**5)
    # Of the ranks 1 to 5 the second is negative; patterns with a sum of 2 or less: {}, {1}, {2}.
    assert wilcoxon(np.array([0.1, -0.2, 0.3, 0.4, 0.5])) == pytest.approx(2 * 3 / 2**5)


def test_two_tasks_have_the_widest_interval_that_the_bootstrap_has():
    """Means of two tasks are d, (d + e) / 2 and e; t with one degree of freedom takes the ends."""
    a = runs("ours", [("t", "0", 0.5), ("u", "0", 0.4)])
    b = runs("average", [("t", "0", 0.4), ("u", "0", 0.45)])
    found = summarise(pair(a, b), Settings(resamples=500))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((-0.05, 0.1))
    assert (found["ci90_low"], found["ci90_high"]) == pytest.approx((-0.05, 0.1))


def test_the_interval_pairs_seeds_before_it_draws_them():
    """Seeds that move both sides alike leave no spread: every resample has the same mean."""
    shifts = (("0", 0.0), ("1", 0.3), ("2", -0.2))
    made = [(task, seed, level + shift) for task, level in (("t", 0.5), ("u", 0.6), ("v", 0.4))
            for seed, shift in shifts]  # fmt: skip
    a = runs("ours", [(task, seed, value + 0.05) for task, seed, value in made])
    found = summarise(pair(a, runs("average", made)), Settings(resamples=500))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((0.05, 0.05))


def test_tost_is_the_larger_of_two_t_tests():
    differences = np.array([0.012, -0.004, 0.003, 0.008, 0.001, -0.002])
    error = differences.std(ddof=1) / np.sqrt(6)
    lower = stats.t.sf((differences.mean() + 0.02) / error, 5)
    upper = stats.t.cdf((differences.mean() - 0.02) / error, 5)
    assert tost(differences, 0.02) == pytest.approx(max(lower, upper))
    assert tost(differences, 0.02) == pytest.approx(
        max(one_sided(differences, -0.02, "larger"), one_sided(differences, 0.02, "smaller"))
    )


def test_tests_of_differences_that_do_not_vary():
    assert tost(np.zeros(4), 0.02) == 0.0
    assert tost(np.full(4, 0.5), 0.02) == 1.0
    assert one_sided(np.zeros(4), 0.0, "larger") == 1.0
