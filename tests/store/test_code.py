import pytest

from recycling.store import code


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


def hashed(tree):
    code._syntax.cache_clear()
    code._files_of.cache_clear()
    return code.code_hash("script.py", root=tree)


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
