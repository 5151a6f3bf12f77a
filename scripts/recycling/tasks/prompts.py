"""Rows become examples: the words of the prompt."""

import string
from collections.abc import Mapping
from typing import Any

from recycling.errors import UserError
from recycling.tasks.examples import Example
from recycling.tasks.sources import Rows
from recycling.tasks.spec import Column, TaskSpec


def label_names(spec: TaskSpec, train: Rows) -> dict[str, str] | None:
    """Raw value (as text) -> answer, from the task's YAML, the features or the values of train.

    None where answers are free text.
    """
    if spec.labels == "features":
        if train.class_names is None:
            raise UserError(
                f"{spec.task}: {train.origin}: column {spec.target!r} has no label names; list them"
                f" under labels in {spec.file}"
            )
        return {str(index): name for index, name in enumerate(train.class_names)}
    if spec.labels == "values":
        values = {_first(value) for value in train.values(spec.target)}
        return {str(value): str(value) for value in sorted(values - {None, ""}, key=str)}
    return None if spec.labels is None else dict(spec.labels)  # type: ignore[arg-type]


def instruction(spec: TaskSpec, labels: Mapping[str, str] | None) -> str:
    """The task's instruction, with the names of the labels in place of `{labels}`."""
    if "{labels}" not in spec.instruction:
        return spec.instruction
    if labels is None:
        raise UserError(f"{spec.file}: instruction has {{labels}}, but the task gives no labels")
    return spec.instruction.replace("{labels}", ", ".join(dict.fromkeys(labels.values())))


def to_example(
    spec: TaskSpec, rows: Rows, position: int, labels: Mapping[str, str] | None, system: str
) -> Example | None:
    """One row as an example; None where the row has no label. UserError for an unknown label."""
    row = rows[position]
    target = _answer(spec, rows, position, row[spec.target], labels)
    if target is None:
        return None
    lines = [_field(label, column, row) for label, column in spec.inputs.items()]
    return Example(rows.name(position), system, "\n".join(lines), target)


def _first(value: Any) -> Any:
    """The value itself, or the first of a list of accepted answers."""
    if isinstance(value, list):
        return value[0] if value else None
    return value


def _answer(
    spec: TaskSpec, rows: Rows, position: int, value: Any, labels: Mapping[str, str] | None
) -> str | None:
    value = _first(value)
    if value is None or value == "" or (labels is not None and str(value) == "-1"):
        return None
    if labels is None:
        return str(value)
    if str(value) not in labels:
        raise UserError(
            f"{spec.task}: {rows.origin}, row {rows.indices[position]}: label {value!r} in column"
            f" {spec.target!r} is not one of {', '.join(list(labels)[:20])}; mend labels in"
            f" {spec.file}"
        )
    return labels[str(value)]


def _field(label: str, column: Column, row: Mapping[str, Any]) -> str:
    value = row[column.column]
    if column.fields:
        parts = [value[name] for name in column.fields]
        items = [column.join.join(map(str, item)) for item in zip(*parts, strict=True)]
        text = "\n".join(items)
    elif isinstance(value, list):
        text = "\n".join(_marks(column.list, len(value), value))
    else:
        return f"{label}: {value}" if label else str(value)
    return f"{label}:\n{text}" if label else text


def _marks(style: str, count: int, items: list[Any]) -> list[str]:
    if style == "plain":
        return [str(item) for item in items]
    marks = string.ascii_uppercase if style == "letters" else [str(i) for i in range(count)]
    return [f"{mark}) {item}" for mark, item in zip(marks, items, strict=False)]
