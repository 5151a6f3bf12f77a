"""Modules that a config names: found, read and loaded by bare name, dotted name or path."""

import sys
from pathlib import Path

import pytest

from recycling import plugins
from recycling.errors import UserError
from recycling.settings import parse
from recycling.store.code import closure, code_hash
from recycling.study.signatures import signature
from recycling.study.source import source

MERGE = """
from recycling.settings import Share


def merge(parts, weight: Share = 0.5):
    return weight
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with a package of the user's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = tmp_path / "my_plugins/part"
    package.mkdir(parents=True)
    (package / "mine.py").write_text(MERGE)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("my_plugins")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["my_plugins/part/mine.py", "my_plugins.part.mine"])
def test_a_module_of_ones_own_is_found_below_the_working_directory(here, name):
    path = here / "my_plugins/part/mine.py"
    assert plugins.locate(name, "recycling.merge") == path
    assert "my_plugins.part.mine" not in sys.modules
    assert plugins.load_function(name, plugins.MERGE)(()) == 0.5
    assert plugins.load(name, "recycling.merge") is plugins.load(name, "recycling.merge")
    assert parse(signature(name, plugins.MERGE).settings, {"weight": 1}, "here").weight == 1.0
    with pytest.raises(UserError, match=r"here.weight: 2"):
        parse(signature(name, plugins.MERGE).settings, {"weight": 2}, "here")


def test_a_bare_name_is_a_file_of_the_package():
    path = plugins.locate("ties", "recycling.merge")
    assert path == Path(plugins.__file__).parent / "merge/ties.py"
    with pytest.raises(UserError, match="did you mean ties"):
        plugins.locate("tise", "recycling.merge")


def test_files_of_the_same_name_are_two_modules(here):
    for folder in ("a", "b"):
        (here / folder).mkdir()
        (here / folder / "mine.py").write_text(f"NAME = {folder!r}\n")
    assert [plugins.load(f"{name}/mine.py", "x").NAME for name in "ab"] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("def merge(:\n", "mine.py:1: invalid syntax"),
        ("from . import x\n\n\ndef merge(parts): ...\n", "absolute imports"),
        ("def mrege(parts): ...\n", "has no function 'merge'"),
        ("def merge(parts, k: Natrual = 1): ...\n", "NameError"),
        ("from no_such import X\n\n\ndef merge(parts, k: X = 1): ...\n", "no_such"),
        ("def merge(parts, k: 'Natrual' = 1): ...\n", "Natrual"),
        ("import b\n\n\ndef merge(parts): ...\n", "b.py:1"),
    ],
)
def test_a_module_that_cannot_be_read_is_one_line_that_names_the_file(here, text, named):
    (here / "b.py").write_text("1 +\n")
    (here / "mine.py").write_text(text)
    with pytest.raises(UserError) as caught:
        signature(str(here / "mine.py"), plugins.MERGE)
    assert named in str(caught.value) and "\n" not in str(caught.value)


HEAVY = """
from __future__ import annotations

import does_not_exist
from dataclasses import dataclass
from typing import TYPE_CHECKING

import does_not_exist.either as heavy
from recycling.adapt.training import Training as Tuning
from recycling.settings import Natural

if TYPE_CHECKING:
    from nowhere import Model

LIMIT: int = 4
MODULES = ("a", "b")


def check(k):
    if k > LIMIT:
        raise ValueError(k)


@dataclass(frozen=True)
class Settings:
    tuning: Tuning
    k: Natural = 2
    modules: tuple[str, ...] = MODULES

    def __post_init__(self) -> None:
        check(self.k)


def tune(model: heavy.Model, adapters, *, settings, seed) -> Merged:
    return heavy.tune(model)
"""


def test_settings_are_read_without_what_the_rest_of_the_module_imports(here):
    (here / "heavy.py").write_text(HEAVY)
    found = signature(str(here / "heavy.py"), plugins.ADAPT)
    assert found.returns == {"Merged"} and "seed" in found.takes
    settings = parse(found.settings, {"tuning": {"lr": 1, "steps": 2}}, "here")
    assert (settings.k, settings.modules, settings.tuning.lr) == (2, ("a", "b"), 1.0)
    with pytest.raises(UserError, match=r"here.tuning.lr: -1"):
        parse(found.settings, {"tuning": {"lr": -1, "steps": 2}}, "here")
    with pytest.raises(UserError, match="here: 5"):
        parse(found.settings, {"tuning": {"lr": 1, "steps": 2}, "k": 5}, "here")


def test_a_method_that_does_not_state_its_settings_is_left_to_check_them_itself(here):
    (here / "silent.py").write_text("def tune(model, **rest): ...\n")
    assert signature(str(here / "silent.py"), plugins.ADAPT).settings is None
    (here / "other.py").write_text("from recycling.merge.ties import merge\n")
    assert signature(str(here / "other.py"), plugins.MERGE).settings is None


def test_a_source_has_the_definitions_of_its_file_alone(here):
    (here / "two.py").write_text("A, B = 1, 2\nC = A + B\n")
    text = source(here / "two.py")
    assert text.get("C") == 3
    with pytest.raises(KeyError):
        text.get("D")


def test_a_module_missing_at_run_time_is_one_line(here):
    (here / "lacking.py").write_text("import does_not_exist\n\n\ndef merge(parts): ...\n")
    with pytest.raises(UserError, match=r"lacking.py.*does_not_exist"):
        plugins.load_function("lacking.py", plugins.MERGE)


def test_the_code_of_a_module_is_what_it_imports_below_the_working_directory(here):
    (here / "my_plugins/helper.py").write_text("X = 1\n")
    mine = here / "my_plugins/part/mine.py"
    mine.write_text("from my_plugins.helper import X\nfrom recycling.errors import UserError\n")
    files = {path.name for path in closure(mine)}
    assert {"mine.py", "helper.py", "errors.py"} <= files
    before = code_hash(mine)
    (here / "my_plugins/helper.py").write_text("X = 2\n")
    from recycling.store import code

    code._syntax.cache_clear()
    assert code_hash(mine) != before
