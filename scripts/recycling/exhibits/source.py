"""What the table of an exhibit is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Source:
    """inputs: paths by name, as the exhibit's `inputs` names them. settings: as its `settings`.

    store: the folder of finished runs.
    """

    inputs: Mapping[str, Any]
    settings: Mapping[str, Any]
    store: str

    def paths(self, name: str) -> list[str]:
        """The paths of an input that may be one path or several."""
        value = self.inputs[name]
        return [value] if isinstance(value, str) else list(value)
