"""A prompts file in the format of the paper's release, used word for word."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from recycling.errors import UserError

KEYS = ("instruction", "user_input", "assistant_output")


def load_prompt(path: str | Path, task: str) -> dict[str, str]:
    """A task's entry of a JSON or YAML file: task -> instruction, user_input, assistant_output.

    `user_input` and `assistant_output` are templates: {column} stands for a column of the row,
    {input} and {output} for this study's own text; other braces are literal. Raises UserError if
    the file is invalid or lacks the task.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))  # JSON is YAML
    except FileNotFoundError:
        raise UserError(f"{path}: no such prompts file") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not JSON or YAML ({' '.join(str(error).split())})") from None
    entry = content.get(task) if isinstance(content, dict) else None
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in KEYS):
        raise UserError(f"{path}: task {task}: expected the texts {', '.join(KEYS)}")
    return {key: entry[key] for key in KEYS}


def fill(template: str, row: Mapping[str, Any]) -> str:
    """The template with each {column} replaced by the row's value; unknown ones stay."""

    def value(match: re.Match[str]) -> str:
        return str(row[match[1]]) if match[1] in row else match[0]

    return re.sub(r"\{([^{}]+)\}", value, template)
