"""Simple average and task arithmetic."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.merge.dense import as_array, draw, error, part_lists, stacked

from recycling.errors import UserError
from recycling.merge import average, merge_adapters, task_arithmetic

settings.register_profile("house", deadline=None, max_examples=40)
settings.load_profile("house")


@given(part_lists())
def test_average_over_all(case):
    shape, parts = case
    assert error(average.merge(parts), stacked(parts, shape).mean(axis=0)) < 1e-5


@given(part_lists())
def test_average_over_the_adapters_that_have_the_module(case):
    shape, parts = case
    present = [part for part in parts if part is not None]
    merged = average.merge(parts, divide_by="present")
    assert error(merged, stacked(present, shape).mean(axis=0)) < 1e-5


@given(part_lists(), st.floats(-2, 2))
def test_task_arithmetic(case, scale):
    shape, parts = case
    merged = as_array(task_arithmetic.merge(parts, scale))
    expected = scale * stacked(parts, shape).sum(axis=0)
    np.testing.assert_allclose(merged, expected, atol=1e-5 * (1 + np.abs(expected).max()))


def test_bfloat16_adapters_are_summed_in_float32():
    parts = [draw(60, 50, 16, i, torch.bfloat16, scaling=0.3) for i in range(30)]
    assert error(average.merge(parts), stacked(parts, (60, 50)).mean(axis=0)) < 1e-5


def test_nobody_has_the_module():
    assert average.merge([None, None]) is None
    assert task_arithmetic.merge([None]) is None


def test_an_unknown_divisor_is_refused():
    with pytest.raises(UserError, match="divide_by: 'some'"):
        merge_adapters("average", [], {"divide_by": "some"})
