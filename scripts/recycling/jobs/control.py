"""A study's own control: a module with a function that changes the adapters before they are merged.

    transform(adapters: Sequence[Mapping[str, LowRank]], **settings)
        -> Sequence[Mapping[str, LowRank]]

It returns as many adapters in the same order. By name it also takes, if it likes, `target: int |
None`, the position of the target LoRA among them, and `seed: int`, the run's seed. Its other
keyword parameters are its settings (see `recycling.settings`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from recycling.errors import UserError
from recycling.plugins import CONTROL, call
from recycling.study.run import Run


def transformed(
    adapters: Sequence[Mapping[str, Any]], run: Run, control: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """The adapters of a run after its control. control: {function, settings}.

    Raises UserError if a setting is wrong, or the control returns more or fewer adapters.
    """
    available = {
        "target": lambda: 0 if run.target == "with" else None,
        "seed": lambda: run.seed,
    }
    where = f"controls.{run.reinit}"
    changed = list(call(control, CONTROL, adapters, available, where))
    if len(changed) != len(adapters):
        raise UserError(
            f"{where}: {control['function']} returns {len(changed)} adapters for {len(adapters)}"
        )
    return changed
