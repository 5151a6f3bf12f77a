"""A run: one point of a study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recycling.study.variants import Variant


@dataclass(frozen=True)
class Run:
    """One point of a study.

    method: a key of `methods`. pool, selection, k, skip, reinit: which adapters are merged and
    what is done to them; empty, or 0, where nothing is merged. target: "with" where the target
    LoRA of the same task and seed is adapter 0, and in the runs that train a LoRA. variant:
    settings that differ from the method's, as (path, value) in the order of their paths.
    """

    method: str
    task: str
    seed: int
    pool: str = ""
    selection: str = ""
    k: int = 0
    skip: int = 0
    target: str = "without"
    reinit: str = "none"
    variant: Variant = ()

    @property
    def n_pool(self) -> int:
        """How many adapters of a pool are merged: the target LoRA counts in K."""
        return self.k - (self.target == "with") if self.k else 0

    def to_json(self) -> dict[str, Any]:
        """The run as JSON values: in a rule's params, and in a line of a batch's file."""
        return {**vars(self), "variant": dict(self.variant)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Run":
        """The run of `to_json`; further keys, such as the results of a line, are ignored."""
        fields = {name: values[name] for name in cls.__dataclass_fields__}
        return cls(**{**fields, "variant": tuple(values["variant"].items())})
