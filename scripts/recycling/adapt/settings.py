"""Settings of methods: frozen dataclasses filled from a config's mappings."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from recycling.errors import UserError

T = TypeVar("T")


def parse(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """An instance of the dataclass `kind` from `values`; `where` names them in messages.

    UserError where a key is unknown or missing, or where the dataclass refuses a value.
    """
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    unknown = sorted(set(values) - {field.name for field in fields})
    if unknown:
        known = ", ".join(sorted(field.name for field in fields))
        raise UserError(f"{where}: unknown setting {unknown[0]!r}; it takes {known}")
    for field in fields:
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if required and field.name not in values:
            raise UserError(f"{where}: the setting {field.name!r} is missing")
    return kind(**values)


def require(value: Any, allowed: tuple[Any, ...], name: str) -> None:
    """UserError unless `value` is one of `allowed`."""
    if value not in allowed:
        choices = ", ".join(str(item) for item in allowed)
        raise UserError(f"{name}: {value!r} is none of {choices}")
