"""The tasks of a study."""

from collections.abc import Mapping
from typing import Any


def in_house_tasks(config: Mapping[str, Any]) -> list[str]:
    """The tasks with an in-house LoRA, in the order of the configuration."""
    if not config["in_house"]:
        return []
    return list(config["in_house"]["tasks"] or config["tasks"]["names"])


def all_tasks(config: Mapping[str, Any]) -> list[str]:
    """Target tasks, then the tasks that only have an in-house LoRA."""
    return list(dict.fromkeys([*config["tasks"]["names"], *in_house_tasks(config)]))
