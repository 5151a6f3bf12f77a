"""The prediction for each example, stored for paired tests."""

import gzip
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from recycling.errors import UserError
from recycling.files import atomic


@dataclass(frozen=True)
class Record:
    """The outcome of one example. correct: whether `prediction` matches `target` by the metric."""

    id: str
    prediction: str
    target: str
    correct: bool


@dataclass(frozen=True)
class Evaluation:
    """Accuracy in [0, 1] over `records`, in the order of the split."""

    accuracy: float
    records: list[Record]


def write_records(path: str | Path, records: Iterable[Record]) -> None:
    """Write records as gzipped JSON lines; the same records give the same bytes."""
    lines = "".join(json.dumps(asdict(record), ensure_ascii=False) + "\n" for record in records)
    with atomic(path) as temporary:
        temporary.write_bytes(gzip.compress(lines.encode("utf-8"), mtime=0))


def read_records(path: str | Path) -> list[Record]:
    """Read a file of `write_records`. Raises UserError if it is missing or damaged."""
    try:
        lines = gzip.decompress(Path(path).read_bytes()).decode("utf-8").split("\n")
        return [Record(**json.loads(line)) for line in lines if line]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file of records") from None
    except (OSError, EOFError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a file of records ({error}); remove it and rerun") from None
