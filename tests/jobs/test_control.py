"""A study's own control: a function that changes the adapters before they are merged."""

from dataclasses import replace

import pytest

from recycling.errors import UserError
from recycling.jobs.control import transformed
from recycling.study.run import Run

CONTROL = """
from recycling.settings import Positive


def transform(adapters, *, target, seed, factor: Positive = 1.0):
    changed = [{m: part * factor + seed for m, part in adapter.items()} for adapter in adapters]
    return changed if target is None else [adapters[target], *changed[1:]][: int(factor)]
"""
RUN = Run("ours", "a", 3, "hub", "random", 2, reinit="mine")


@pytest.fixture
def control(tmp_path):
    (tmp_path / "noise.py").write_text(CONTROL)
    return lambda **settings: {"function": str(tmp_path / "noise.py"), "settings": settings}


def test_adapters_are_changed_in_their_order(control):
    adapters = [{"m": 1.0}, {"m": 2.0}]
    assert transformed(adapters, RUN, control(factor=2)) == [{"m": 5.0}, {"m": 7.0}]
    with_target = replace(RUN, target="with")
    assert transformed(adapters, with_target, control(factor=2)) == [{"m": 1.0}, {"m": 7.0}]


def test_a_mistake_is_one_line(control):
    adapters = [{"m": 1.0}, {"m": 2.0}]
    with pytest.raises(UserError, match=r"controls.mine.settings.factor: 0"):
        transformed(adapters, RUN, control(factor=0))
    with pytest.raises(UserError, match="1 adapters for 2"):
        transformed(adapters, replace(RUN, target="with"), control(factor=1))
