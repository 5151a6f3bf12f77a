"""How a study differs from the paper's: by key, and only where results depend on it."""

from pathlib import Path

import pytest
import yaml

from recycling.study.config import validated
from recycling.study.differences import differences, result_settings


@pytest.fixture(scope="module")
def paper():
    return validated(yaml.safe_load(Path("config.yaml").read_text()))


def test_the_papers_own_study_differs_in_nothing_wherever_it_runs(paper):
    elsewhere = {
        **paper,
        "hub": "http://localhost:1",
        "base": paper["base"] | {"device": "cpu"},
        "tasks": paper["tasks"] | {"batch_tokens": 1, "per_job": 9},
    }
    assert differences(paper, elsewhere) == []
    assert result_settings(paper) == result_settings(elsewhere)


def test_settings_methods_and_experiments_that_differ_are_told(paper):
    lora = paper["methods"]["target_lora"]
    grid = paper["experiments"]["main"][0]
    merges = paper["experiments"]["main"][1]
    study = {
        **paper,
        "tasks": paper["tasks"] | {"n_train": 10},
        "methods": paper["methods"]
        | {"target_lora": lora | {"settings": lora["settings"] | {"rank": 4}}}
        | {"lorahub": paper["methods"]["lorahub"] | {"settings": {"evaluations": 1}}},
        "experiments": {
            "main": [grid | {"seeds": [0, 1]}, merges | {"methods": ["ours"], "k": [5]}]
        },
    }
    found = {key: (there, here) for key, there, here in differences(paper, study)}
    assert found.pop("tasks.n_train") == ("80", "10")
    assert found.pop("methods.target_lora.settings.rank") == ("64", "4")
    there, here = found.pop("experiments.main")
    assert here == "zero_shot, target_lora, ours; K 5; selections evaluation; seeds 0, 1, 123"
    assert "K 20, 30" in there
    # What is left: experiments that are not run here; and nothing of a method that no run uses.
    assert {here for _, here in found.values()} == {"–"}
    assert set(found) == {f"experiments.{name}" for name in paper["experiments"] if name != "main"}
