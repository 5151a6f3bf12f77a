"""Settings parsed from a mapping: what a type takes, and one line for what it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Optional

import pytest

from recycling.errors import UserError
from recycling.settings import (
    Above,
    AtMost,
    Between,
    Count,
    Natural,
    NonNegative,
    Positive,
    Share,
    keywords,
    parse,
)


@dataclass(frozen=True)
class Inner:
    lr: Positive
    steps: Count = 5


@dataclass(frozen=True)
class Outer:
    count: Natural
    share: Share = 0.5
    weight: NonNegative = 0.0
    part: Annotated[float, Above(0), AtMost(1)] = 1.0
    scale: float | Literal["equal"] = 1.0
    mode: Literal["best", "last", 3] = "best"
    flag: bool = False
    name: str = "x"
    names: tuple[str, ...] = ()
    numbers: Sequence[Annotated[int, Between(1, 9)]] = ()
    inner: Inner = field(default_factory=lambda: Inner(lr=1.0))
    maybe: Inner | None = None
    limit: Optional[Natural] = None  # noqa: UP045
    quoted: "Natural | None" = None
    anything: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.share > self.part:
            raise UserError(f"share: {self.share} is more than part, {self.part}")


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"share": 1}, "share", 1.0),
        ({"weight": 0}, "weight", 0.0),
        ({"scale": "equal"}, "scale", "equal"),
        ({"scale": 2}, "scale", 2.0),
        ({"mode": 3}, "mode", 3),
        ({"names": ["a", "b"]}, "names", ("a", "b")),
        ({"numbers": [1, 9]}, "numbers", (1, 9)),
        ({"inner": {"lr": 1}}, "inner", Inner(lr=1.0, steps=5)),
        ({"inner": Inner(lr=2.0)}, "inner", Inner(lr=2.0)),
        ({"maybe": None}, "maybe", None),
        ({"maybe": {"lr": 3.0, "steps": 0}}, "maybe", Inner(lr=3.0, steps=0)),
        ({"limit": None}, "limit", None),
        ({"quoted": 2}, "quoted", 2),
        ({"anything": {"a": [1]}}, "anything", {"a": [1]}),
        ({"options": {"a": 1}}, "options", {"a": 1}),
    ],
)
def test_a_value_that_fits_is_taken_as_its_type_has_it(given, name, value):
    parsed = getattr(parse(Outer, {"count": 1, **given}, "here"), name)
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"count": 0}, "here.count: 0"),
        ({"count": 1.0}, "here.count: 1.0"),
        ({"count": True}, "here.count: True"),
        ({"count": None}, "here.count: None"),
        ({"share": 1.1}, "here.share: 1.1"),
        ({"share": float("nan")}, "here.share: nan"),
        ({"weight": float("inf")}, "here.weight: inf"),
        ({"weight": "1e-3"}, "write 1.0e-3"),
        ({"part": 0}, "here.part: 0"),
        ({"part": 2}, "here.part: 2"),
        ({"scale": "equals"}, "here.scale: 'equals'"),
        ({"scale": True}, "here.scale: True"),
        ({"mode": "bset"}, "here.mode: 'bset'"),
        ({"mode": 3.0}, "here.mode: 3.0"),
        ({"flag": 1}, "here.flag: 1"),
        ({"name": 1}, "here.name: 1"),
        ({"names": "ab"}, "here.names: 'ab'"),
        ({"names": ["a", 1]}, "here.names.1: 1"),
        ({"numbers": [1, 10]}, "here.numbers.1: 10"),
        ({"inner": {"lr": 0}}, "here.inner.lr: 0"),
        ({"inner": {}}, "here.inner: the setting 'lr'"),
        ({"inner": None}, "here.inner: None"),
        ({"inner": {"lr": 1, "step": 2}}, "did you mean steps"),
        ({"maybe": {"lr": -1}}, "here.maybe.lr: -1"),
        ({"maybe": 3}, "here.maybe: 3"),
        ({"limit": 0}, "here.limit: 0"),
        ({"quoted": 0}, "here.quoted: 0"),
        ({"options": []}, "here.options: []"),
        ({"share": 0.5, "part": 0.4}, "here: share: 0.5 is more than part"),
        ({1: 2}, "unknown setting 1"),
    ],
)
def test_a_value_that_does_not_fit_is_one_line_that_names_it(given, named):
    with pytest.raises(UserError) as caught:
        parse(Outer, {"count": 1, **given}, "here")
    message = str(caught.value)
    assert message.startswith("here") and named in message and "\n" not in message


def test_a_setting_without_a_default_is_required():
    with pytest.raises(UserError, match="'count'"):
        parse(Outer, {}, "here")


def merge(parts: object, k: Natural, scale: float = 1.0, more=(), seed: int = 0, **rest) -> None:
    """Keywords of a function are settings as well."""


def test_the_settings_of_a_function_are_its_keywords():
    kind = keywords(merge, ("seed",))
    assert vars(parse(kind, {"k": 2}, "here")) == {"k": 2, "scale": 1.0, "more": ()}
    assert vars(parse(kind, {"k": 2, "more": {"a": 1}}, "here"))["more"] == {"a": 1}
    for given in ({}, {"k": 0}, {"k": 1, "seed": 1}, {"k": 1, "parts": 1}, {"k": 1, "rest": 1}):
        with pytest.raises(UserError, match=r"^here"):
            parse(kind, given, "here")
