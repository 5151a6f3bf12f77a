"""Settings of methods: frozen dataclasses filled from a config's mappings."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from recycling.errors import UserError

T = TypeVar("T")


def parse(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """An instance of the dataclass `kind` from `values`; `where` names them in messages.

    UserError where a key is unknown or missing, a number, text or flag is of another type, or the
    dataclass refuses a value.
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
    for field in fields:
        if field.name in values and not _fits(values[field.name], field.type):
            expected = getattr(field.type, "__name__", field.type)
            raise UserError(f"{where}: {field.name} is {values[field.name]!r}: expected {expected}")
    return kind(**values)


def _fits(value: Any, kind: Any) -> bool:
    if kind not in (int, float, str, bool):
        return True  # the dataclass itself says what it takes
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int | float if kind is float else kind)


def require(value: Any, allowed: tuple[Any, ...], name: str) -> None:
    """UserError unless `value` is one of `allowed`."""
    if value not in allowed:
        choices = ", ".join(str(item) for item in allowed)
        raise UserError(f"{name}: {value!r} is none of {choices}")
