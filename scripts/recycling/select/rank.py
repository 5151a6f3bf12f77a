"""Selection by an adapter's own rank."""

from collections.abc import Mapping

from recycling.lora.lowrank import LowRank


def scores(adapters: Mapping[str, Mapping[str, LowRank]]) -> dict[str, float]:
    """Each adapter's largest module rank: high-rank adapters come first, whatever the task.

    (Closeness of rank to a target's is the measure "rank" of `similarity`.)
    """
    return {
        name: float(max(adapter[module].rank for module in adapter))
        for name, adapter in adapters.items()
    }
