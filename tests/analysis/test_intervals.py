"""The hierarchical bootstrap against exact enumeration, exact moments and simulated coverage."""

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from recycling.analysis import intervals
from recycling.analysis.intervals import expanded_tail, hierarchical_interval, resampled_means


def test_resampled_means_follow_the_exact_distribution():
    """Two tasks with two and one seeds: all draws enumerated with exact probabilities."""
    groups = [[0.0, 1.0], [5.0]]
    exact: Counter[Fraction] = Counter()
    means = {0: [Fraction(0), Fraction(1, 2), Fraction(1, 2), Fraction(1)], 1: [Fraction(5)]}
    for tasks in itertools.product((0, 1), repeat=2):
        options = [[(m, Fraction(1, len(means[t]))) for m in means[t]] for t in tasks]
        for drawn in itertools.product(*options):
            mean = sum(m for m, _ in drawn) / 2
            exact[mean] += Fraction(1, 4) * drawn[0][1] * drawn[1][1]
    assert sum(exact.values()) == 1
    found = Counter(resampled_means(groups, seed=1, resamples=200_000).tolist())
    assert set(found) == {float(value) for value in exact}
    for value, probability in exact.items():
        assert found[float(value)] / 200_000 == pytest.approx(float(probability), abs=0.004)


def test_resampled_means_have_the_exact_moments_of_two_stage_resampling():
    """Ragged groups: mean, and variance (between tasks + within tasks / seeds) / tasks."""
    groups = [[0.1, 0.5, 0.3], [0.9], [0.2, 0.8], [0.4, 0.4, 0.7, 0.1]]
    means = np.array([np.mean(group) for group in groups])
    within = np.array([np.var(group) / len(group) for group in groups])
    variance = (means.var() + within.mean()) / len(groups)
    found = resampled_means(groups, seed=0, resamples=200_000)
    assert found.mean() == pytest.approx(means.mean(), abs=4 * (variance / 200_000) ** 0.5)
    assert found.var() == pytest.approx(variance, rel=0.02)


def test_many_tasks_are_drawn_in_pieces_of_the_same_kind(monkeypatch):
    groups = [[float(i), i + 0.5] for i in range(10)]
    whole = resampled_means(groups, seed=3, resamples=3001)
    monkeypatch.setattr(intervals, "CHUNK", 1000)
    pieces = resampled_means(groups, seed=3, resamples=3001)
    assert len(pieces) == len(whole) == 3001
    assert stats.ks_2samp(whole, pieces).pvalue > 0.001


def test_expanded_tail_is_that_of_students_t_and_vanishes_with_many_tasks():
    # Six tasks: t(0.975, 5) = 2.5706, times sqrt(6/5) = 2.8159, upper tail 0.00243.
    assert expanded_tail(6, 0.95) == pytest.approx(0.00243, abs=1e-5)
    assert expanded_tail(100_000, 0.95) == pytest.approx(0.025, abs=1e-5)


def test_interval_covers_the_truth_as_often_as_it_says():
    """Six tasks, two seeds: the plain percentile interval would cover about 85 % here."""
    generator = np.random.default_rng(5)
    covered = 0
    for trial in range(400):
        tasks = generator.normal(0.3, 0.05, 6)
        groups = generator.normal(tasks[:, None], 0.02, (6, 2)).tolist()
        low, high = hierarchical_interval(groups, seed=trial, resamples=1000)
        covered += low < 0.3 < high
    assert 0.925 <= covered / 400 <= 0.985


def test_equal_values_give_a_point_and_one_task_no_interval():
    assert hierarchical_interval([[0.25], [0.25], [0.25]], seed=0) == (0.25, 0.25)
    assert hierarchical_interval([[0.1, 0.9]], seed=0) is None


def test_same_seed_same_interval_another_seed_another():
    groups = [[0.1, 0.2], [0.4], [0.3, 0.35], [0.0], [0.6], [0.17], [0.2], [0.8]]
    one = hierarchical_interval(groups, seed=7)
    assert one == hierarchical_interval(groups, seed=7)
    assert one != hierarchical_interval(groups, seed=8)


def test_a_task_without_values_is_refused():
    with pytest.raises(ValueError, match="without values"):
        resampled_means([[0.1], []], seed=0, resamples=10)
