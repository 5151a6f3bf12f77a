"""What the data say of a claim: the rule, in one place.

A claim puts the effect into a region: above 0 ("greater"), below the margin ("little"), or within
plus and minus the margin ("equivalent"). It is supported when the 95 % interval lies wholly in the
region and the claim's test holds after Holm's correction over the study's claims; contradicted
when the interval lies wholly outside and the opposite test holds after the correction; else
inconclusive. With fewer tasks than `minimum_tasks` it is inconclusive whatever the numbers.
"""

import math

import numpy as np

from recycling.analysis.comparisons import Kind
from recycling.analysis.paired import one_sided, tost


def region(kind: Kind, margin: float) -> tuple[float, float]:
    """The effects that the claim allows, an open interval."""
    return {
        "greater": (0.0, math.inf),
        "little": (-math.inf, margin),
        "equivalent": (-margin, margin),
    }[kind]


def name_of_test(kind: Kind, margin: float) -> str:
    """The test of a claim, in words."""
    return {
        "greater": "one-sided t-test over tasks that the effect is above 0",
        "little": f"one-sided t-test over tasks that the effect is below {margin:g}",
        "equivalent": f"two one-sided t-tests over tasks that the effect is within ±{margin:g}",
    }[kind]


def p_values(kind: Kind, differences: np.ndarray, margin: float) -> tuple[float, float] | None:
    """p for the claim and p for its opposite; the unit is the task. None below two tasks."""
    if len(differences) < 2:
        return None
    if kind == "equivalent":
        above = one_sided(differences, margin, "larger")
        below = one_sided(differences, -margin, "smaller")
        return tost(differences, margin), min(1.0, 2 * min(above, below))
    if kind == "greater":
        return one_sided(differences, 0.0, "larger"), one_sided(differences, 0.0, "smaller")
    return one_sided(differences, margin, "smaller"), one_sided(differences, margin, "larger")


def verdict(
    kind: Kind,
    margin: float,
    interval: tuple[float, float],
    p_holm: float,
    p_opposite_holm: float,
    alpha: float,
) -> tuple[str, str]:
    """The verdict and its reason in words."""
    low, high = interval
    allowed_low, allowed_high = region(kind, margin)
    where = {
        "greater": "above 0",
        "little": f"below the margin of {margin:g}",
        "equivalent": f"within the margin of ±{margin:g}",
    }[kind]
    shown = f"the {100 * (1 - alpha):g} % interval [{low:+.3f}, {high:+.3f}] lies"
    if allowed_low < low and high < allowed_high:
        outcome, p, place = "supported", p_holm, f"wholly {where}"
    elif high <= allowed_low or low >= allowed_high:
        outcome, p, place = "contradicted", p_opposite_holm, f"wholly not {where}"
    else:
        return "inconclusive", f"{shown} partly {where}, partly not"
    if p < alpha:
        return outcome, f"{shown} {place} (Holm p = {p:.2g})"
    return "inconclusive", f"{shown} {place}, but the test does not hold (Holm p = {p:.2g})"
