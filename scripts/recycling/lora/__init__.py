"""Low-rank algebra, and adapters on disk and in a model."""

from recycling.lora.adapter import Adapter
from recycling.lora.export import save_adapter
from recycling.lora.fold import folded
from recycling.lora.lowrank import LowRank, stack
from recycling.lora.reinit import reinitialise

__all__ = ["Adapter", "LowRank", "folded", "reinitialise", "save_adapter", "stack"]
