"""A task as its YAML file says it: see docs/tasks.md for the format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from recycling.errors import UserError

SOURCE_KEYS = {"path", "name", "revision", "splits", "data_files", "exclude", "files", "note"}
LIST_STYLES = ("letters", "numbers", "plain")


@dataclass(frozen=True)
class Source:
    """Where rows come from: a data set of the Hub (`path`) or local `files` (split -> file).

    `splits` maps the study's train, validation, test to the data set's own names; where no test is
    named, a tenth of train is held out. `name` is the data set's configuration. `data_files`
    (split -> pattern) reads only these files of it. `exclude` (column -> values) leaves rows out.
    `note` says how to get what cannot be downloaded.
    """

    path: str | None
    name: str | None
    revision: str | None
    splits: Mapping[str, str]
    data_files: Mapping[str, str]
    exclude: Mapping[str, Sequence[Any]]
    files: Mapping[str, Path]
    note: str | None


@dataclass(frozen=True)
class Column:
    """A column of the user's message.

    A column that holds a list is shown one item a line: `list` letters A) B), numbers 0) 1), or
    plain. A column that holds a struct of lists (`fields`) joins them item by item with `join`.
    """

    column: str
    list: str = "plain"
    fields: tuple[str, ...] = ()
    join: str = ") "


@dataclass(frozen=True)
class TaskSpec:
    """One task. `inputs` maps the words before each field to its column; the key "" shows none.

    `labels` maps the raw values of the target column to the answers; None where answers are free
    text; "dataset": the names of the data set's own ClassLabel feature or, where the column is
    none, the values it takes in train.
    """

    task: str
    source: Source
    inputs: Mapping[str, Column]
    target: str
    instruction: str
    labels: Mapping[str, str] | Literal["dataset"] | None = None
    max_new_tokens: int = 30
    file: Path = field(default=Path(), compare=False)


def load_spec(path: str | Path) -> TaskSpec:
    """Read a task's YAML file. UserError names the file and the key that is wrong."""
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such task file") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a mapping with the keys of a task")
    known = {"task", "dataset", "inputs", "target", "labels", "instruction", "max_new_tokens"}
    _check_keys(path, "", content, known, {"dataset", "inputs", "target", "instruction"})
    name = content.get("task", path.stem)
    if name != path.stem:
        raise UserError(f"{path}: key task is {name!r}, expected the file's name {path.stem!r}")
    tokens = content.get("max_new_tokens", 30)
    if type(tokens) is not int or tokens < 1:
        raise UserError(f"{path}: key max_new_tokens: expected a whole number over 0")
    labels = content.get("labels")
    return TaskSpec(
        task=name,
        source=_source(path, content["dataset"]),
        inputs=_inputs(path, content["inputs"]),
        target=_text(path, "target", content["target"]),
        instruction=_text(path, "instruction", content["instruction"]).strip(),
        labels="dataset" if labels == "dataset" else _labels(path, labels),
        max_new_tokens=tokens,
        file=path,
    )


def _check_keys(
    path: Path, prefix: str, content: Mapping[str, Any], known: set[str], needed: set[str]
) -> None:
    for key in content:
        if key not in known:
            raise UserError(
                f"{path}: unknown key {prefix}{key}; a task has {', '.join(sorted(known))}"
            )
    for key in sorted(needed):
        if key not in content:
            raise UserError(f"{path}: key {prefix}{key} is missing")


def _text(path: Path, key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UserError(f"{path}: key {key}: expected text, found {value!r}")
    return value


def _source(path: Path, content: Any) -> Source:
    if not isinstance(content, dict) or ("path" in content) == ("files" in content):
        raise UserError(f"{path}: key dataset: give either path (a Hub data set) or files")
    _check_keys(path, "dataset.", content, SOURCE_KEYS, set())
    files = content.get("files", {})
    splits = content.get("splits", {"train": "train"})
    for key, value in (("files", files), ("splits", splits)):
        if not isinstance(value, dict) or not value.keys() <= {"train", "validation", "test"}:
            raise UserError(f"{path}: key dataset.{key}: expected train, validation, test")
    wanted = files or splits
    if not wanted.get("train"):
        raise UserError(f"{path}: key dataset.{'files' if files else 'splits'}.train is missing")
    return Source(
        path=content.get("path"),
        name=content.get("name"),
        revision=content.get("revision"),
        splits={split: name for split, name in splits.items() if name},
        data_files=content.get("data_files", {}),
        exclude=content.get("exclude", {}),
        files={split: path.parent / file for split, file in files.items() if file},
        note=content.get("note"),
    )


def _inputs(path: Path, content: Any) -> dict[str, Column]:
    if isinstance(content, str):
        return {"": Column(content)}
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path}: key inputs: expected a column, or words: column")
    return {str(label): _column(path, str(label), value) for label, value in content.items()}


def _column(path: Path, label: str, value: Any) -> Column:
    if isinstance(value, str):
        return Column(value)
    key = f"inputs.{label}"
    if not isinstance(value, dict):
        raise UserError(f"{path}: key {key}: expected a column or a mapping with column")
    _check_keys(path, f"{key}.", value, {"column", "list", "fields", "join"}, {"column"})
    column = Column(**{**value, "fields": tuple(value.get("fields", ()))})
    if column.list not in LIST_STYLES:
        raise UserError(f"{path}: key {key}.list: expected one of {', '.join(LIST_STYLES)}")
    return column


def _labels(path: Path, content: Any) -> dict[str, str] | None:
    if content is None:
        return None
    if isinstance(content, list):
        content = {label: label for label in content}
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path}: key labels: expected a list, raw value: name, or dataset")
    for raw, name in content.items():
        if not isinstance(name, str):
            raise UserError(
                f"{path}: key labels: {raw!r} is named {name!r}, expected text (quote yes, no, 1)"
            )
    return {str(raw): name for raw, name in content.items()}
