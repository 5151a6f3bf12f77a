"""Task files, valid and invalid."""

from pathlib import Path

import pytest

from recycling.errors import UserError
from recycling.tasks.spec import load_spec

GOOD = """
dataset: {path: some/data, splits: {train: train}}
inputs: {A: a, B: {column: b, list: letters}}
target: label
instruction: >
  Say
  yes.
"""


def test_a_valid_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD)
    spec = load_spec(tmp_path / "mine.yaml")
    assert (spec.task, spec.instruction, spec.max_new_tokens) == ("mine", "Say yes.", 30)
    assert spec.inputs["B"].list == "letters" and spec.labels is None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (GOOD + "task: other\n", "expected the file's name 'mine'"),
        (GOOD.replace("target: label", ""), "key target is missing"),
        (GOOD.replace("splits", "split"), "unknown key dataset.split"),
        (GOOD.replace("{train: train}", "{training: train}"), "dataset.splits"),
        (GOOD.replace("column: b", "columns: b"), "unknown key inputs.B.columns"),
        ("- a list", "expected a mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        load_spec(tmp_path / "mine.yaml")
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "mine.yaml")) and part in message
    assert "\n" not in message


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such task file"):
        load_spec(tmp_path / "none.yaml")
