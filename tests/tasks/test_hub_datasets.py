"""Data sets that the loopback Hub cannot serve: scripts."""

from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, Value

from recycling.errors import UserError
from recycling.tasks import hub_datasets
from recycling.tasks.spec import load_spec

SPEC = """
dataset: {path: some/script, name: small, splits: {train: training}}
inputs: text
target: label
instruction: Say it.
"""


def test_a_script_is_read_from_the_hubs_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def load_dataset(*names: str, **options: Any) -> Any:
        calls.append((names, options))
        if len(calls) == 1:
            raise RuntimeError("Dataset scripts are no longer supported, but found script.py")
        return "rows"

    monkeypatch.setattr(hub_datasets, "load_dataset", load_dataset)
    (tmp_path / "mine.yaml").write_text(SPEC)
    assert hub_datasets.load(load_spec(tmp_path / "mine.yaml"), "training") == "rows"
    assert calls[1][0] == ("some/script",)
    assert calls[1][1] == {
        "split": "training",
        "revision": "refs/convert/parquet",
        "data_files": {"training": "small/training/*.parquet"},
    }


def test_any_other_failure_is_reported_with_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_dataset(*_: str, **__: Any) -> Any:
        try:
            raise OSError("the line is\ncut")
        except OSError as error:
            raise ValueError("did not work") from error

    monkeypatch.setattr(hub_datasets, "load_dataset", load_dataset)
    (tmp_path / "mine.yaml").write_text(SPEC)
    with pytest.raises(UserError, match=r"^mine: some/script: .*OSError: the line is cut$"):
        hub_datasets.load(load_spec(tmp_path / "mine.yaml"), "training")


def test_class_names() -> None:
    features = Features({"label": ClassLabel(names=["no", "yes"]), "text": Value("string")})
    rows = Dataset.from_dict({"label": [0, 1], "text": ["a", "b"]}, features=features)
    assert hub_datasets.class_names(rows, "label") == ("no", "yes")
    assert hub_datasets.class_names(rows, "text") is None
