"""Rankings, ties, nesting and windows."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.errors import UserError
from recycling.select import ranking as select
from recycling.select.evaluation import accuracies

names = st.sets(st.text("abcxyz/-", min_size=1, max_size=8), min_size=1, max_size=30)


@given(names, st.integers(0, 9), st.randoms(use_true_random=False))
def test_random_depends_only_on_the_seed_and_the_set_of_names(pool, seed, rng):
    shuffled = sorted(pool)
    rng.shuffle(shuffled)
    ranking = select.random(shuffled, seed)
    assert ranking == select.random(iter(pool), seed)
    assert sorted(ranking.names) == sorted(pool)


@given(names, st.integers(0, 9))
def test_removing_a_name_keeps_the_order_of_the_others(pool, seed):
    order = select.random(pool, seed).names
    removed = order[len(order) // 2]
    rest = select.random(pool - {removed}, seed).names
    assert rest == tuple(name for name in order if name != removed)


def test_random_sets_nest_in_k_and_differ_between_seeds():
    pool = [f"owner/lora-{i}" for i in range(100)]
    ranking = select.random(pool, 1)
    chosen = [select.window(ranking, k, target=False) for k in (5, 10, 20, 30)]
    for small, great in itertools.pairwise(chosen):
        assert great[: len(small)] == small
    assert select.random(pool, 2).names[:30] != ranking.names[:30]


def test_random_is_uniform():
    firsts = [select.random("abcde", seed).names[0] for seed in range(2000)]
    for name in "abcde":
        assert firsts.count(name) == pytest.approx(400, abs=5 * math.sqrt(2000 * 0.2 * 0.8))


@given(
    st.dictionaries(st.text("abc", max_size=4), st.sampled_from([0.1, 0.5, 0.5000001, 1.0])),
    st.integers(0, 9),
    st.randoms(use_true_random=False),
)
def test_best_first_with_ties_in_the_seeded_random_order(scores, seed, rng):
    items = list(scores.items())
    rng.shuffle(items)
    ranking = select.by_score(dict(items), seed)
    assert ranking == select.by_score(scores, seed)
    assert list(ranking.scores) == sorted(scores.values(), reverse=True)
    assert all(
        scores[name] == score for name, score in zip(ranking.names, ranking.scores, strict=True)
    )
    positions = {name: i for i, name in enumerate(select.random(scores, seed).names)}
    for score in set(scores.values()):
        tied = [positions[name] for name in ranking.names if scores[name] == score]
        assert tied == sorted(tied)


def test_another_seed_breaks_ties_differently():
    scores = dict.fromkeys(map(str, range(50)), 0.5)
    assert select.by_score(scores, 1).names != select.by_score(scores, 2).names


def test_the_width_of_the_tie_at_the_cut():
    ranking = select.by_score({"a": 3, "b": 2, "c": 2, "d": 2, "e": 1}, 0)
    assert [ranking.tie_width(k) for k in range(7)] == [0, 0, 3, 3, 0, 0, 0]


def test_a_score_that_is_nan_is_refused():
    with pytest.raises(UserError, match=r"^b: "):
        select.by_score({"a": 1.0, "b": math.nan}, 0)


def test_windows():
    ranking = select.by_score({name: -i for i, name in enumerate("abcdefgh")}, 0)
    assert select.window(ranking, 3, target=False) == tuple("abc")
    assert select.window(ranking, 3, target=True) == tuple("ab")  # the target LoRA is the third
    assert select.window(ranking, 3, target=True, skip=5) == tuple("fg")
    assert select.window(ranking, 1, target=True) == ()
    assert select.window(ranking, 8, target=False) == tuple("abcdefgh")
    for k, target, skip in [(9, False, 0), (8, True, 2), (0, True, 0), (2, True, -1)]:
        with pytest.raises(UserError, match=f"k = {k}"):
            select.window(ranking, k, target=target, skip=skip)


def test_evaluation_over_both_splits_or_train_only():
    row = {"repo_id": "a", "task": "t", "train": "0.75", "n_train": "80", "validation": "0.5"}
    rows = [row | {"n_validation": "20"}, row | {"task": "other", "n_validation": "20"}]
    assert accuracies(rows, "t", ("train", "validation")) == {"a": pytest.approx(0.7)}
    assert accuracies(rows, "t", ("train",)) == {"a": 0.75}
