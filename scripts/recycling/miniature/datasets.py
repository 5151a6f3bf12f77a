"""Data sets of the small world's tasks, in the formats found on the Hub.

| form and tasks | files | answers | splits |
|---|---|---|---|
| "text": filter or output left open | Parquet | text | train, test |
| "lines": the same, for a value | JSON lines | text | train: the workflow holds out a tenth |
| "classes": selection left open | Parquet | ClassLabel feature | train, test |
| "numbers": swapped | Parquet | numbers, named in the task's file | train, validation, test |
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import yaml

from recycling.files import atomic
from recycling.miniature import language
from recycling.miniature.language import Question
from recycling.miniature.task_family import SWAPPED_GROUPS, task_name

OWNER = "smallworld"
N_TRAIN, N_VALIDATION, N_TEST = 3000, 200, 400
Row = dict[str, Any]


def repo_id(question: Question) -> str:
    """The repository of a task's data set."""
    return f"{OWNER}/{task_name(question)}"


def form(question: Question) -> str:
    """The form of a task's data set: text, lines, classes or numbers."""
    if question.relabel:
        return "numbers"
    if "selection" in question.vague:
        return "classes"
    return "lines" if question.output == "value" else "text"


def splits(question: Question) -> dict[str, list[Row]]:
    """The rows {words, answer} of each published split; all lists of words are different."""
    held = 0 if form(question) == "lines" else N_TEST
    validation = N_VALIDATION if form(question) == "numbers" else 0
    train = N_TRAIN + (N_TEST if not held else 0)
    rows = language.examples(question, train + validation + held, "data set")
    parts = {
        "train": rows[:train],
        "validation": rows[train : train + validation],
        "test": rows[train + validation :],
    }
    return {split: part for split, part in parts.items() if part}


def class_names(question: Question) -> list[str]:
    """The answer for each number, in the forms that publish answers as numbers."""
    if question.relabel:
        return [*SWAPPED_GROUPS[question.output], "none"]
    return sorted({row["answer"] for part in splits(question).values() for row in part})


def files(question: Question) -> dict[str, bytes]:
    """The files of the data set's repository, README included: path -> content."""
    parts = splits(question)
    if form(question) == "lines":
        contents = {
            f"{split}.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode()
            for split, rows in parts.items()
        }
    else:
        contents = {
            f"data/{split}-00000-of-00001.parquet": _parquet(question, rows)
            for split, rows in parts.items()
        }
    return {"README.md": _readme(question).encode(), **contents}


def task_file(question: Question) -> Row:
    """The content of the task's YAML file; docs/tasks.md describes the format."""
    labels: dict[str, Any] = {}
    if form(question) == "classes":
        labels = {"labels": "dataset"}
    elif form(question) == "numbers":
        labels = {"labels": dict(enumerate(class_names(question)))}
    return {
        "task": task_name(question),
        "dataset": {
            "path": repo_id(question),
            "splits": {split: split for split in splits(question)},
        },
        "inputs": {language.LABEL.rstrip(":"): "words"},
        "target": "answer",
        **labels,
        "instruction": question.instruction,
        "max_new_tokens": 2,
    }


def write_task_file(folder: str | Path, question: Question) -> Path:
    """Write <folder>/<task>.yaml, with the question's meaning in a comment."""
    path = Path(folder) / f"{task_name(question)}.yaml"
    body = yaml.safe_dump(task_file(question), sort_keys=False, allow_unicode=True)
    swapped = "; answers are exchanged among themselves" if question.relabel else ""
    with atomic(path) as temporary:
        temporary.write_text(f"# Meant: {question.meaning}{swapped}.\n{body}", encoding="utf-8")
    return path


def _parquet(question: Question, rows: Sequence[Row]) -> bytes:
    numbered = form(question) in ("classes", "numbers")
    names = class_names(question)
    words = pyarrow.array([row["words"] for row in rows], pyarrow.string())
    if numbered:
        answers = pyarrow.array([names.index(row["answer"]) for row in rows], pyarrow.int64())
    else:
        answers = pyarrow.array([row["answer"] for row in rows], pyarrow.string())
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"words": words, "answer": answers}), buffer)
    return buffer.getvalue()


def _readme(question: Question) -> str:
    """The data set's card; for a ClassLabel it names the classes, as cards on the Hub do."""
    head: Row = {"license": "cc0-1.0", "language": ["en"]}
    if form(question) == "classes":
        names = {str(i): name for i, name in enumerate(class_names(question))}
        head["dataset_info"] = {
            "features": [
                {"name": "words", "dtype": "string"},
                {"name": "answer", "dtype": {"class_label": {"names": names}}},
            ]
        }
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n# {task_name(question)}\n"
