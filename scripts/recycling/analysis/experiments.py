"""Which experiments of a study each table and claim reads.

The names are those of config.yaml and studies/. Where several experiments have a run, the first
one counts. An experiment with any other name is a study's own: it appears in the main table and in
the contrasts.
"""

import pandas as pd

TARGET_ALONE = ("target_alone",)
MAIN = ("main", *TARGET_ALONE)
RECYCLED = ("main", "k_sweep", "selection", "random_init")
REINITIALISED = ("main", "random_init", "k_sweep")
NORM_MATCHED = ("random_init",)
CAPACITY = ("main", "k_sweep", "random_init")
RANDOM_BASIS = ("random_basis",)
RELEVANT = ("relevant_transfer",)
FIXED_SETS = ("fixed_sets",)
REGULARISED = ("regularised",)
RELEASED = ("main", "k_sweep", "selection", "as_released", *TARGET_ALONE)
DESIGN = ("design", "selection_ablation")
LORA_SWEEP = ("lora_sweep",)

KNOWN = frozenset().union(
    MAIN, RECYCLED, REINITIALISED, CAPACITY, RANDOM_BASIS, RELEVANT, FIXED_SETS, REGULARISED,
    RELEASED, DESIGN, LORA_SWEEP,
)  # fmt: skip


def own_experiments(runs: pd.DataFrame) -> tuple[str, ...]:
    """The experiments of these runs that no table or claim reads by name."""
    return tuple(name for name in dict.fromkeys(runs["experiment"]) if name not in KNOWN)
