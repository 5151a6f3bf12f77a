"""Small stand-ins for the Hub repositories behind the tasks, from tests/tasks/hub_schemas.yaml."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from datasets import ClassLabel, Dataset, Features, List, Value

from recycling.miniature.loopback import add_repo

SCHEMAS = Path(__file__).with_name("hub_schemas.yaml")


def build(root: Path) -> None:
    """Lay out every repository of the schemas under `root`, for the loopback Hub."""
    for repo, schema in yaml.safe_load(SCHEMAS.read_text()).items():
        add_repo(root, "dataset", repo, files(schema))


def files(schema: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of one repository: parquet by configuration and split, and the card."""
    configs = schema.get("configs", ["default"])
    if not isinstance(configs, dict):
        configs = dict.fromkeys(configs, schema["features"])
    contents, listed, infos = {}, [], []
    for name, columns in configs.items():
        features = Features({column: feature(kind) for column, kind in columns.items()})
        splits = []
        for split in schema["splits"]:
            count = schema.get("rows", 60)
            path = f"{'data' if name == 'default' else name}/{split}-00000-of-00001.parquet"
            contents[path] = parquet(columns, features, split, count, schema.get("unlabelled", 0))
            splits.append({"split": split, "path": path})
        listed.append({"config_name": name, "data_files": splits})
        infos.append({"config_name": name, "features": features._to_yaml_list()})
    card = yaml.safe_dump({"dataset_info": infos, "configs": listed}, sort_keys=False)
    contents["README.md"] = f"---\n{card}---\n".encode()
    return contents


def feature(kind: Any) -> Any:
    """The datasets feature of a column."""
    if isinstance(kind, str):
        return Value(kind)
    if "names" in kind:
        names = kind["names"]
        return ClassLabel(
            names=[f"intent_{i}" for i in range(names)] if isinstance(names, int) else names
        )
    if "lists" in kind:
        return {name: List(Value("string")) for name in kind["lists"]}
    values = kind.get("values") or kind.get("list") or kind["answers"]
    plain = Value("string" if isinstance(values[0], str) else "int64")
    return plain if "values" in kind else List(plain)


def value(column: str, kind: Any, split: str, row: int) -> Any:
    """An invented value; texts name their column, split and row, so that all rows differ."""
    if isinstance(kind, str):
        text = f"the {column} of row {row} in {split}"
        return {"string": text, "int64": row, "bool": row % 2 == 0, "float64": row / 2}[kind]
    if "names" in kind:
        return row % (kind["names"] if isinstance(kind["names"], int) else len(kind["names"]))
    if "lists" in kind:
        return kind["lists"]
    if "list" in kind:
        return kind["list"]
    values = kind.get("values") or kind["answers"]
    chosen = values[row % len(values)]
    return chosen if "values" in kind else [chosen]


def parquet(
    columns: Mapping[str, Any], features: Features, split: str, count: int, unlabelled: int
) -> bytes:
    """One split as parquet; ClassLabels of the first `unlabelled` rows are -1."""
    rows = [
        {
            column: -1 if i < unlabelled and "names" in kind else value(column, kind, split, i)
            for column, kind in columns.items()
        }
        for i in range(count)
    ]
    listed = {column: [row[column] for row in rows] for column in columns}
    table: pa.Table = Dataset.from_dict(listed, features=features).data.table
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()
