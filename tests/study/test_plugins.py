"""Selections and controls of a study's own: what the study plans for them."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from recycling.jobs.recipes import merge_recipe
from recycling.pins import locked_pins
from recycling.store.code import code_hash
from recycling.study.config import validated
from recycling.study.study import make_study

RULES = {
    "plain": "def select(pool): ...\n",
    "scored": "def select(pool, *, scores, weight: float = 1.0): ...\n",
    "alike": "def select(pool, *, adapters, target): ...\n",
}
GRID = {"methods": ["average"], "k": [3], "seeds": [0, 1], "target": ["without"]}


@pytest.fixture
def study(tmp_path):
    """The paper's study on one task, with other experiments and plug-ins."""
    for name, text in RULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    for name in ("noise", "other"):
        (tmp_path / f"{name}.py").write_text("def transform(adapters, scale: float = 1.0): ...\n")
    config = yaml.safe_load(Path("config.yaml").read_text())
    config |= {
        "tasks": config["tasks"] | {"names": ["anli"]},
        "export": {},
        "selections": {name: {"function": str(tmp_path / f"{name}.py")} for name in RULES},
        "controls": {
            "noise": {"function": str(tmp_path / "noise.py"), "settings": {"scale": 2}},
            "other": {"function": str(tmp_path / "other.py")},
        },
    }
    return lambda **grid: make_study(validated(config | {"experiments": {"main": [GRID | grid]}}))


@pytest.mark.parametrize(
    ("selection", "scores", "targets"),
    [("plain", 0, 0), ("scored", 60, 0), ("alike", 0, 1), ("evaluation", 60, 0), ("cosine", 0, 0)],
)
def test_a_selection_waits_for_what_it_takes(study, selection, scores, targets):
    one = study(selections=[selection])
    inputs = one.selection_inputs("hub", "anli")
    assert (len(inputs["scores"]), len(inputs["targets"])) == (scores, targets)
    assert len(one.scores("hub")) == scores
    trained = {run.seed for _, key in one.plan.owner.items() for run in one.plan.batches[key].runs
               if run.method == "target_lora"}  # fmt: skip
    assert trained == ({0, 1} if selection in ("alike", "cosine") else set())
    assert bool(one.evaluated_selections()) == (selection == "evaluation")


def test_a_selection_is_named_with_its_function_and_settings(study, tmp_path):
    one = study(selections=["scored", "random"])
    own = one.selection_settings("hub", "anli")["own"]
    assert own == {"scored": {"function": str(tmp_path / "scored.py"), "settings": {}}}


def test_the_code_of_selections_is_that_of_the_modules_they_load(study):
    code = {name: study(selections=[name]).selection_code("hub", "anli") for name in RULES}
    assert len({*code.values(), study().selection_code("hub", "anli")}) == 4
    both = study(selections=["plain", "random"]).selection_code("hub", "anli")
    assert both == code["plain"]


def test_a_run_depends_on_the_code_and_settings_of_its_control_alone(study, tmp_path):
    one = study(reinit=["none", "noise"])
    (batch,) = one.plan.batches.values()
    orders = one.orders(batch)
    assert orders.controls == {
        "noise": {
            "function": str(tmp_path / "noise.py"),
            "settings": {"scale": 2},
            "code": code_hash(tmp_path / "noise.py", pins=locked_pins()),
        }
    }
    other = study(reinit=["all"])
    assert [other.orders(batch).controls for batch in other.plan.batches.values()] == [{}]

    def key(run, controls):
        return merge_recipe("code", replace(orders, controls=controls), run, NoInputs(), []).key

    edited = {"noise": orders.controls["noise"] | {"code": "another"}}
    for run in batch.runs:
        same = key(run, orders.controls) == key(run, edited)
        assert same == (run.reinit == "none")


class NoInputs:
    def of(self, task, *splits):
        return {}
