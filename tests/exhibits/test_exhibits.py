"""What every exhibit has in common, and exhibits that a study brings."""

from pathlib import Path

import pytest
import yaml

from recycling.analysis import experiments
from recycling.errors import UserError
from recycling.exhibits.exhibit import find_exhibits
from recycling.plugins import load_file
from recycling.study.config import validated
from recycling.study.plan import make_plan
from recycling.study.study import Study

ROOT = Path(__file__).resolve().parents[2]
OWN = """
from recycling.exhibits.exhibit import Exhibit, runs

EXHIBIT = Exhibit("Mine", "Methods", runs)
"""


def study(**changes):
    """The paper's study, with some keys changed."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config = validated({**config, **changes})
    return Study(config, make_plan(config))


@pytest.fixture(scope="module")
def exhibits():
    return find_exhibits(study())


def test_each_exhibit_has_the_functions_that_scripts_call(exhibits):
    assert len(exhibits) > 20
    functions = {"table": "rows", "page": "page", "figure": "draw"}
    for name, exhibit in exhibits.items():
        for part, function in functions.items():
            if exhibit.has(part):
                assert callable(getattr(load_file(exhibit.file(part)), function)), (name, part)
        assert exhibit.has("table") or exhibit.data != "tables/{name}.tsv", name


def test_each_page_and_figure_has_a_caption(exhibits):
    for exhibit in exhibits.values():
        for part in ("page", "figure"):
            caption = exhibit.folder / f"{part}.rst"
            assert exhibit.has(part) == caption.is_file(), caption
            assert not exhibit.has(part) or caption.read_text(encoding="utf-8").strip()


def test_an_exhibit_reads_no_table_that_the_study_lacks(exhibits):
    one = study()
    tables = {exhibit.data_file(one) for exhibit in exhibits.values()}
    for name, exhibit in exhibits.items():
        for inputs in (exhibit.inputs(one), exhibit.figure_inputs(one)):
            for value in inputs.values():
                for path in [value] if isinstance(value, str) else value:
                    assert "/tables/" not in path or path in tables, (name, path)


def test_exhibits_of_experiments_that_are_not_asked_are_left_out():
    names = set(find_exhibits(study(only=["main"])))
    assert {"main", "claims"} <= names
    assert not names & {"design", "lora_sweep", "capacity", "released"}


def test_a_study_brings_an_exhibit_of_its_own(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(UserError, match=r"exhibits: no file .*mine/exhibit\.py"):
        find_exhibits(study(exhibits=[str(folder)]))
    (folder / "exhibit.py").write_text(OWN)
    assert find_exhibits(study(exhibits=[str(folder)]))["mine"].title == "Mine"
    twice = tmp_path / "other/main"
    twice.mkdir(parents=True)
    (twice / "exhibit.py").write_text(OWN)
    with pytest.raises(UserError, match="name 'main' is taken"):
        find_exhibits(study(exhibits=[str(twice)]))


def test_every_experiment_that_a_table_names_is_in_a_config():
    configured = set()
    for path in (ROOT / "config.yaml", *sorted((ROOT / "studies").glob("*.yaml"))):
        configured |= set(yaml.safe_load(path.read_text(encoding="utf-8")).get("experiments", {}))
    assert configured >= experiments.KNOWN


def test_a_study_names_an_exhibit_in_a_package(tmp_path, monkeypatch):
    folder = tmp_path / "own_package/best"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"exhibits: no module own_package\.best\.exhibit"):
        find_exhibits(study(exhibits=["own_package.best"]))
    (folder / "exhibit.py").write_text(OWN)
    assert find_exhibits(study(exhibits=["own_package.best"]))["best"].title == "Mine"
