"""Data sets of the Hub through load_dataset, with errors for people."""

from typing import Any

import datasets
from datasets import ClassLabel, load_dataset

from recycling.errors import UserError
from recycling.tasks.spec import TaskSpec

# The repository's own files are read, at one revision: never a conversion made elsewhere.
datasets.config.USE_PARQUET_EXPORT = False


def load(spec: TaskSpec, split: str) -> Any:
    """One split as a datasets.Dataset. UserError where it cannot be had, saying what to do."""
    source = spec.source
    try:
        return load_dataset(
            source.path,
            source.name,
            split=split,
            revision=source.revision,
            data_files=dict(source.data_files) or None,
        )
    except Exception as error:
        raise UserError(f"{spec.task}: {source.path}: {_advice(spec, split, error)}") from error


def class_names(rows: Any, column: str) -> tuple[str, ...] | None:
    """The names of a ClassLabel column, None where the column is of another kind."""
    feature = rows.features.get(column)
    return tuple(feature.names) if isinstance(feature, ClassLabel) else None


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _advice(spec: TaskSpec, split: str, error: Exception) -> str:
    chain = _chain(error)
    kinds = {type(part).__name__ for part in chain}
    text = " ".join(str(error).split())
    if "GatedRepoError" in kinds or "gated dataset" in text:
        return (
            f"its licence has not been accepted; accept it at https://huggingface.co/datasets/"
            f"{spec.source.path} and set HF_TOKEN to your token"
        )
    if "scripts are no longer supported" in text:
        return "it is a script; set dataset.revision to refs/convert/parquet"
    if "BuilderConfig" in text:
        return f"no configuration {spec.source.name!r}; mend dataset.name ({text[:200]})"
    if "Unknown split" in text or "Bad split" in text:
        return f"no split {split!r}; mend dataset.splits ({text[:200]})"
    if "DatasetNotFoundError" in kinds:
        return f"no such data set, or no access to it; mend dataset.path ({text[:200]})"
    return f"cannot be loaded: {type(error).__name__}: {text[:300]}"
