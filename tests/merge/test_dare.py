"""DARE: masks recovered from single adapters, then a dense reference with those masks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.merge import dense
from tests.merge.dense import as_array, draw, draw_dyadic, error, part_lists

from recycling.errors import UserError
from recycling.merge import dare, merge_adapters

settings.register_profile("house", deadline=None, max_examples=40)
settings.load_profile("house")


def masked(parts, shape, density, seed):
    """(K, out, in) dropped and rescaled deltas, by the masks that position and seed give."""
    probability = round(density * 2**16) / 2**16
    values = dense.stacked(parts, shape)
    ones = draw_dyadic(*shape, 1, 0)
    ones.A.fill_(1), ones.B.fill_(1)
    for i, part in enumerate(parts):
        if part is not None:
            alone = [None] * i + [ones] + [None] * (len(parts) - i - 1)
            mask = as_array(dare.merge(alone, density, seed=seed)) != 0
            values[i] = np.where(mask, values[i] / probability, 0.0)
    return values


@given(part_lists(), st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 99))
def test_linear(case, density, seed):
    shape, parts = case
    expected = masked(parts, shape, density, seed).mean(axis=0)
    merged = as_array(dare.merge(parts, density, seed=seed))
    np.testing.assert_allclose(merged, expected, atol=1e-5 * (1 + np.abs(expected).max()))


@given(part_lists(make=draw_dyadic), st.sampled_from([0.125, 0.5]), st.integers(0, 99))
def test_ties(case, density, seed):
    shape, parts = case
    expected = dense.disjoint_mean(masked(parts, shape, density, seed))
    np.testing.assert_allclose(
        as_array(dare.merge(parts, density, "ties", seed=seed)), expected, rtol=1e-6, atol=1e-6
    )


def test_density_one_is_the_plain_merge():
    parts = [draw(30, 20, 4, i) for i in range(3)]
    values = dense.stacked(parts, (30, 20))
    assert error(dare.merge(parts, 1.0), values.mean(axis=0)) < 1e-5
    assert error(dare.merge(parts, 1.0, "ties"), dense.disjoint_mean(values)) < 1e-5
    assert error(dare.merge(parts, 1.0, scale=2.0), 2 * values.mean(axis=0)) < 1e-5


def test_the_share_kept_and_the_expectation():
    part = draw(200, 300, 4, 1)
    one = as_array(dare.merge([part], 0.2, seed=1))
    assert (one != 0).mean() == pytest.approx(0.2, abs=5 * (0.16 / one.size) ** 0.5)
    draws = np.stack([as_array(dare.merge([part], 0.5, seed=seed)) for seed in range(100)])
    delta = dense.dense(part)
    # Each draw's entries are 0 or 2 delta: their mean over n draws spreads by |delta| / sqrt(n).
    z = (draws.mean(axis=0) - delta) / (np.abs(delta) / 10)
    assert np.abs(z).mean() == pytest.approx((2 / np.pi) ** 0.5, rel=0.05)
    assert z.mean() == pytest.approx(0, abs=5 / delta.size**0.5)


def test_seeds_and_positions_draw_different_masks():
    part = draw(40, 30, 4, 1)
    first = dare.merge([part, None], 0.5, seed=1)
    assert torch.equal(first, dare.merge([part, None], 0.5, seed=1))
    assert not torch.equal(first, dare.merge([part, None], 0.5, seed=2))
    assert not torch.equal(first, dare.merge([None, part], 0.5, seed=1))


def test_masks_do_not_depend_on_the_size_of_a_block(monkeypatch):
    from recycling.lora.dense import row_blocks

    part = draw(40, 30, 4, 1)
    whole = dare.merge([part, part], 0.5, seed=1)
    monkeypatch.setattr(dare, "row_blocks", lambda shape: row_blocks(shape, 8 * 30))
    np.testing.assert_allclose(dare.merge([part, part], 0.5, seed=1), whole, atol=1e-6)


def test_what_makes_no_sense_is_refused():
    assert dare.merge([None, None]) is None
    for density in (0.0, 1e-6, 1.5):
        with pytest.raises(UserError, match=f"density: {density}"):
            merge_adapters("dare", [], {"density": density})
    with pytest.raises(UserError, match="combine: 'sum'"):
        merge_adapters("dare", [], {"combine": "sum"})
