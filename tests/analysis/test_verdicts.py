"""The rule of the verdicts, case by case."""

import numpy as np
import pytest
from scipy import stats

from recycling.analysis.verdicts import p_values, verdict

MARGIN = 0.02


@pytest.mark.parametrize(
    ("kind", "interval", "expected"),
    [
        ("greater", (0.01, 0.05), "supported"),
        ("greater", (-0.01, 0.05), "inconclusive"),
        ("greater", (-0.05, -0.01), "contradicted"),
        ("little", (-0.3, -0.1), "supported"),
        ("little", (0.005, 0.015), "supported"),
        ("little", (0.01, 0.03), "inconclusive"),
        ("little", (0.03, 0.05), "contradicted"),
        ("equivalent", (-0.01, 0.015), "supported"),
        ("equivalent", (-0.03, 0.01), "inconclusive"),
        ("equivalent", (-0.03, 0.03), "inconclusive"),
        ("equivalent", (0.021, 0.05), "contradicted"),
        ("equivalent", (-0.05, -0.021), "contradicted"),
        # A difference may be sure and yet too small to count.
        ("equivalent", (0.001, 0.01), "supported"),
        # On the boundary the effect could still be what the claim forbids.
        ("greater", (0.0, 0.05), "inconclusive"),
        ("equivalent", (-0.02, 0.01), "inconclusive"),
    ],
)
def test_interval_decides(kind, interval, expected):
    found, reason = verdict(kind, MARGIN, interval, 0.001, 0.001, 0.05)
    assert found == expected
    assert f"[{interval[0]:+.3f}, {interval[1]:+.3f}]" in reason


def test_a_claim_that_does_not_survive_the_correction_is_inconclusive():
    assert verdict("greater", MARGIN, (0.01, 0.05), 0.08, 1.0, 0.05)[0] == "inconclusive"
    assert verdict("greater", MARGIN, (-0.05, -0.01), 1.0, 0.08, 0.05)[0] == "inconclusive"


def test_p_values_are_those_of_t_tests_against_the_claims_boundaries():
    differences = np.array([0.03, 0.01, 0.05, 0.02, 0.04])
    for kind, boundary, claim, opposite in (
        ("greater", 0.0, "greater", "less"),
        ("little", MARGIN, "less", "greater"),
    ):
        expected = tuple(
            stats.ttest_1samp(differences, boundary, alternative=side).pvalue
            for side in (claim, opposite)
        )
        assert p_values(kind, differences, MARGIN) == pytest.approx(expected)
    inside, beyond = p_values("equivalent", differences, MARGIN)
    above, below = (
        stats.ttest_1samp(differences, edge, alternative=side).pvalue
        for edge, side in ((MARGIN, "greater"), (-MARGIN, "less"))
    )
    assert beyond == pytest.approx(2 * min(above, below))
    assert inside == pytest.approx(
        max(
            stats.ttest_1samp(differences, MARGIN, alternative="less").pvalue,
            stats.ttest_1samp(differences, -MARGIN, alternative="greater").pvalue,
        )
    )
    assert p_values("greater", differences[:1], MARGIN) is None
