"""Bootstrap intervals for a mean over tasks, with seeds within tasks."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

CHUNK = 2_000_000  # resampled values held at once


def hierarchical_interval(
    groups: Sequence[Sequence[float] | np.ndarray],
    *,
    seed: int,
    resamples: int = 10_000,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Interval for the mean over tasks of the mean over seeds.

    groups: one sequence per task, the values of its seeds (numbers may differ between tasks). Each
    resample draws tasks with replacement and, within each drawn task, seeds with replacement
    (the hierarchical bootstrap). The quantiles are those of Hesterberg's expanded percentile
    interval (The American Statistician, 2015, section 5.3): with few tasks the plain percentile
    interval is too narrow; the correction vanishes as tasks grow. None with fewer than two tasks.
    """
    if len(groups) < 2:
        return None
    means = resampled_means(groups, seed=seed, resamples=resamples)
    tail = expanded_tail(len(groups), level)
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def expanded_tail(n: int, level: float) -> float:
    """The tail probability whose normal quantile is Student's t quantile times sqrt(n/(n-1))."""
    quantile = stats.t.ppf((1 + level) / 2, n - 1) * np.sqrt(n / (n - 1))
    return float(stats.norm.sf(quantile))


def resampled_means(
    groups: Sequence[Sequence[float] | np.ndarray], *, seed: int, resamples: int
) -> np.ndarray:
    """Means over tasks of means over seeds, one per resample: shape (resamples,)."""
    counts = np.array([len(group) for group in groups])
    if not counts.all():
        raise ValueError("a task without values")
    tasks, most = len(groups), int(counts.max())
    values = np.zeros((tasks, most))
    for row, group in zip(values, groups, strict=True):
        row[: len(group)] = group
    generator = np.random.default_rng(seed)
    pieces = []
    step = max(1, CHUNK // (tasks * most))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(tasks, size=(size, tasks))
        uniform = generator.random((size, tasks, most))
        seeds = (uniform * counts[drawn][..., None]).astype(int)
        kept = np.arange(most) < counts[drawn][..., None]
        sums = np.where(kept, values[drawn[..., None], seeds], 0.0).sum(axis=2)
        pieces.append((sums / counts[drawn]).mean(axis=1))
    return np.concatenate(pieces)
