"""Settings: dataclasses, or the keywords of a function, filled from a configuration.

The type of a field says what it takes: `Share`, `Natural`, `Literal["best", "last"]`,
`tuple[str, ...]`, `Positive | None`, or another dataclass. `parse` checks the values against the
types. A rule between several fields belongs in `__post_init__`, which raises UserError or
ValueError.
"""

import dataclasses
import inspect
import math
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from recycling.errors import UserError, did_you_mean

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class AtLeast:
    low: float

    def holds(self, value: float) -> bool:
        return value >= self.low

    def __str__(self) -> str:
        return f"at least {self.low:g}"


@dataclasses.dataclass(frozen=True)
class Above:
    low: float

    def holds(self, value: float) -> bool:
        return value > self.low

    def __str__(self) -> str:
        return f"above {self.low:g}"


@dataclasses.dataclass(frozen=True)
class AtMost:
    high: float

    def holds(self, value: float) -> bool:
        return value <= self.high

    def __str__(self) -> str:
        return f"at most {self.high:g}"


@dataclasses.dataclass(frozen=True)
class Between:
    """From `low` to `high`, both included."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"between {self.low:g} and {self.high:g}"


VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
RANGES = (AtLeast, AtMost, Above, Between)
SEQUENCES = (tuple, list, Sequence)
MAPPINGS = (dict, Mapping)
WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    types.NoneType: "null",
    dict: "a mapping",
    Mapping: "a mapping",
}

Natural = Annotated[int, AtLeast(1)]
Count = Annotated[int, AtLeast(0)]
Positive = Annotated[float, Above(0)]
NonNegative = Annotated[float, AtLeast(0)]
Share = Annotated[float, Between(0, 1)]


def parse(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """An instance of the dataclass `kind` from `values`; `where` is their place in the config.

    An integer becomes a float and a list a tuple where the field's type says so; a nested dataclass
    is filled from a mapping. UserError, one line with the key path, the value and what was
    expected, where a key is unknown or missing, a value does not fit its type, or the dataclass
    refuses the values together.
    """
    fields = [field for field in dataclasses.fields(kind) if field.init]  # type: ignore[arg-type]
    names = [field.name for field in fields]
    if not isinstance(values, Mapping):
        raise UserError(f"{where}: {values!r}: expected {_named(names)}")
    for key in values:
        if key not in names:
            hint = did_you_mean(str(key), names)
            raise UserError(f"{where}: unknown setting {key!r}{hint}; it takes {_listed(names)}")
    hints = get_type_hints(kind, include_extras=True)
    parsed = {
        name: _converted(value, hints[name], f"{where}.{name}") for name, value in values.items()
    }
    for field in fields:
        if field.name not in values and _required(field):
            raise UserError(f"{where}: the setting {field.name!r} is missing")
    try:
        return kind(**parsed)
    except (UserError, ValueError) as error:
        raise UserError(f"{where}: {error}") from None


def keywords(function: Callable[..., Any], given: Collection[str]) -> type:
    """The settings that a function takes, as a dataclass for `parse`.

    They are its parameters but the first and those in `given`, which the caller passes. A
    parameter without an annotation takes any value.
    """
    fields: list[tuple[str, Any, Any]] = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.name in given or parameter.kind in VARIADIC:
            continue
        hint = Any if parameter.annotation is parameter.empty else parameter.annotation
        if isinstance(hint, str):  # as `from __future__ import annotations` leaves it
            hint = eval(hint, function.__globals__)
        fields.append((parameter.name, hint, _field(parameter.default)))
    return dataclasses.make_dataclass(function.__name__, fields, frozen=True, kw_only=True)


def _field(default: Any) -> Any:
    if default is inspect.Parameter.empty:
        return dataclasses.field()
    return dataclasses.field(default_factory=lambda: default)


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _converted(value: Any, hint: Any, where: str, expected: Any = None) -> Any:
    """`value` as a `hint`. Raises UserError if it does not fit `expected`, by default `hint`."""
    expected = hint if expected is None else expected
    origin, options = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return value if isinstance(value, hint) else parse(hint, value, where)
    if origin is Annotated:
        converted = _converted(value, options[0], where, expected)
        if all(limit.holds(converted) for limit in options[1:] if isinstance(limit, RANGES)):
            return converted
    elif origin in (Union, types.UnionType):
        for option in options:
            try:
                return _converted(value, option, where)
            except UserError:
                if dataclasses.is_dataclass(option) and isinstance(value, Mapping):
                    raise  # it names the key inside
    elif _fits(value, hint):
        if (origin or hint) in SEQUENCES:
            item = options[0] if options else Any
            return tuple(_converted(one, item, f"{where}.{i}") for i, one in enumerate(value))
        return float(value) if hint is float else value
    raise UserError(f"{where}: {value!r}: expected {in_words(expected)}{_dot(value, expected)}")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a plain type. Types that this module does not know take any value."""
    origin = get_origin(hint)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(hint))
    if hint in (bool, str, int, types.NoneType):
        return type(value) is hint
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    if (origin or hint) in SEQUENCES:
        return isinstance(value, list | tuple)
    if (origin or hint) in MAPPINGS:
        return isinstance(value, Mapping)
    return True


def in_words(hint: Any) -> str:
    """What a type takes, as it stands in a message: "a number between 0 and 1"."""
    origin, options = get_origin(hint), get_args(hint)
    if origin is Annotated:
        limits = " and ".join(str(limit) for limit in options[1:] if isinstance(limit, RANGES))
        return f"{in_words(options[0])} {limits}".rstrip()
    if origin is Literal:
        return _listed([str(choice) for choice in options], "or")
    if origin in (Union, types.UnionType):
        return " or ".join(in_words(option) for option in options)
    if (origin or hint) in SEQUENCES:
        return f"a list of {in_words(options[0])}" if options else "a list"
    if dataclasses.is_dataclass(hint):
        return _named([field.name for field in dataclasses.fields(hint)])
    return WORDS.get(origin or hint, getattr(hint, "__name__", str(hint)))


def _dot(value: Any, hint: Any) -> str:
    """The reason why a number in scientific notation arrives as text."""
    if not isinstance(value, str) or "number" not in in_words(hint):
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return " (YAML reads 1e-3 as text: write 1.0e-3)"


def _named(names: Sequence[str]) -> str:
    return f"settings by name ({_listed(names)})"


def _listed(names: Sequence[str], last: str = "and") -> str:
    if len(names) < 2:
        return names[0] if names else "none"
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
