"""Reading and picking runs."""

import pytest
from tests.analysis.synthetic import COLUMNS, row

from recycling.analysis.runs import Missing, load_runs, pick
from recycling.errors import UserError
from recycling.files import write_tsv


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.tsv"


def write(path, *rows, columns=COLUMNS):
    write_tsv(path, columns, rows)
    return load_runs(path)


def test_names_are_text_and_counts_are_numbers(path):
    runs = write(path, row("main", "ours", "NA", "007", 0.5, k=20, selection="None"))
    only = runs.iloc[0]
    assert (only["task"], only["seed"], only["selection"]) == ("NA", "007", "None")
    assert (only["k"], only["accuracy"]) == (20, 0.5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"accuracy": "high"}, "line 2: accuracy 'high' is not a number"),
        ({"accuracy": 1.5}, "line 2: accuracy 1.5 is not between 0 and 1"),
        ({"accuracy": ""}, "line 2: accuracy nan is not between 0 and 1"),
        ({"k": "many"}, "line 2: k 'many' is not a number"),
    ],
)
def test_mistakes_are_named(path, change, said):
    with pytest.raises(UserError, match=said):
        write(path, row("main", "ours", "t", "0", 0.5) | change)


def test_missing_file_and_missing_column_are_named(path):
    with pytest.raises(UserError, match="no such file"):
        load_runs(path)
    with pytest.raises(UserError, match="column 'accuracy' is missing"):
        write(path, columns=[name for name in COLUMNS if name != "accuracy"])


def test_shared_runs_count_once_and_the_first_experiment_wins(path):
    shared = row("main", "ours", "t", "0", 0.5, k=5)
    runs = write(
        path, {**shared, "experiment": "k_sweep"}, shared, shared,
        row("k_sweep", "ours", "t", "1", 0.6, k=5),
        row("other", "ours", "t", "2", 0.7, k=5),
    )  # fmt: skip
    found = pick(runs, {"method": "ours", "k": 5}, ("main", "k_sweep"))
    assert found[["seed", "experiment"]].values.tolist() == [["0", "main"], ["1", "k_sweep"]]


def test_zero_shot_asked_for_with_many_seeds_is_one_run(path):
    rows = [row("main", "zero_shot", "t", str(seed), 0.5) | {"key": "z"} for seed in range(3)]
    assert len(pick(write(path, *rows), {"method": "zero_shot"}, ("main",))) == 1


def test_two_different_runs_of_one_point_are_refused(path):
    one = row("main", "ours", "t", "0", 0.5, k=5)
    with pytest.raises(Missing, match=r"several different runs of Ours, K = 5.*task 't', seed 0"):
        pick(write(path, one, one | {"key": "else"}), {"method": "ours", "k": 5}, ("main",))


def test_one_spelling_for_runs_that_are_the_same(path):
    runs = write(
        path,
        row("target_alone", "ours", "t", "0", 0.5, k=1, target="with", selection="random", skip=3),
        row("random_init", "ours", "t", "0", 0.5, k=5, target="without", reinit="others"),
        row("random_init", "ours", "t", "0", 0.5, k=5, target="with", reinit="others"),
    )
    assert runs["selection"].tolist() == ["", "", ""]
    assert runs["skip"].tolist() == [0, 0, 0]
    assert runs["reinit"].tolist() == ["none", "all", "others"]
