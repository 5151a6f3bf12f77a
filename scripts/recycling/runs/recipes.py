"""What a merge is computed from."""

from collections.abc import Mapping, Sequence
from typing import Any

from recycling.runs.members import Member
from recycling.store.store import Recipe


def merge_recipe(
    kind: str,
    code: str,
    settings: Mapping[str, Any],
    run: Mapping[str, Any],
    members: Sequence[Member],
    inputs: Mapping[str, Any],
) -> Recipe:
    """The recipe of a run that merges `members`. inputs: content ids of the base and the data.

    The seed is part of it even where it acts through the members alone: a method that draws must
    not share a result between seeds.
    """
    wanted = {
        **{key: settings[key] for key in ("function", "method", "adapters")},
        **{key: run[key] for key in ("seed", "reinit", "target")},
        **settings["bench"],
    }
    return Recipe(kind, code, wanted, {**inputs, "adapters": [one.content for one in members]})
