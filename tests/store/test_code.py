from pathlib import Path

import pytest

from recycling.pins import read_pins
from recycling.store import code

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path):
    package = tmp_path / "library"
    package.mkdir()
    (tmp_path / "script.py").write_text("from library import used\nimport os\nused.f()\n")
    (package / "__init__.py").write_text("")
    (package / "used.py").write_text("from library.deep import VALUE\ndef f():\n    return VALUE\n")
    (package / "deep.py").write_text("VALUE = 1\n")
    (package / "unused.py").write_text("VALUE = 1\n")
    return tmp_path


def hashed(tree, **options):
    code._syntax.cache_clear()
    code._files_of.cache_clear()
    return code.code_hash("script.py", root=tree, **options)


def test_closure_is_what_is_imported(tree):
    names = {path.relative_to(tree).as_posix() for path in code.closure("script.py", root=tree)}
    assert names == {"script.py", "library/__init__.py", "library/used.py", "library/deep.py"}


@pytest.mark.parametrize(
    ("name", "text", "changes"),
    [
        ("script.py", "from library import used\nimport os\nused.f(); used.f()\n", True),
        ("library/deep.py", "VALUE = 2\n", True),
        ("library/__init__.py", "x = 1\n", True),
        ("library/unused.py", "VALUE = 2\n", False),
        ("library/deep.py", "# why\nVALUE  =  1\n", False),
        ("library/deep.py", '"""What."""\nVALUE = 1\n', False),
        (
            "library/used.py",
            'from library.deep import VALUE\ndef f():\n    """Doc."""\n    return VALUE\n',
            False,
        ),
    ],
)
def test_what_changes_the_hash(tree, name, text, changes):
    before = hashed(tree)
    (tree / name).write_text(text)
    assert (hashed(tree) != before) == changes


def test_an_entry_that_is_loaded_by_name_counts(tree):
    before = code.code_hash("script.py", "library/unused.py", root=tree)
    code._syntax.cache_clear()
    code._files_of.cache_clear()
    (tree / "library/unused.py").write_text("VALUE = 2\n")
    assert code.code_hash("script.py", "library/unused.py", root=tree) != before


def test_versions_of_imported_packages_count_and_others_do_not(tree):
    (tree / "library/deep.py").write_text(
        "import yaml\nfrom some_package.part import x\nVALUE = 1\n"
    )
    pins = {"pyyaml": "1", "some-package": "1", "other": "1"}
    before = hashed(tree, pins=pins)
    assert hashed(tree, pins={**pins, "other": "2"}) == before
    assert hashed(tree, pins={**pins, "pyyaml": "2"}) != before
    assert hashed(tree, pins={**pins, "some-package": "2"}) != before


def test_imports_for_types_alone_are_not_followed(tree):
    script = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from library import unused\n"
    (tree / "script.py").write_text(script)
    before = hashed(tree)
    (tree / "library/unused.py").write_text("VALUE = 2\n")
    assert hashed(tree) == before


def test_what_brings_a_job_its_orders_does_not_count(tree):
    (tree / "script.py").write_text("import job\n")
    (tree / "job.py").write_text("x = 1\n")
    before = hashed(tree)
    (tree / "job.py").write_text("x = 2\n")
    assert hashed(tree) == before


def test_the_pinned_versions_of_packages_with_other_names_are_found():
    pins = read_pins([ROOT / "envs/requirements.lock", ROOT / "envs/torch.txt"])
    assert set(code.DISTRIBUTIONS.values()) | {"torch", "lm-eval", "numpy"} <= set(pins)
    assert len(pins["numpy"]) == 2  # one for old and one for new Pythons
