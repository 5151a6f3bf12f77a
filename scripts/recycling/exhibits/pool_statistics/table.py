"""What the adapters in the pool look like, beside the paper's pool."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recycling.analysis.numbers import exact
from recycling.exhibits.source import Source
from recycling.files import read_json, read_tsv

COLUMNS = ("quantity", "value", "adapters", "share", "paper_adapters", "paper_share")
# Each quantity with the key of resources/paper_pool.json that has the paper's counts.
QUANTITIES = {
    "rank": "rank",
    "alpha": "alpha",
    "alpha / rank": "alpha_over_r",
    "module set": "target_modules",
    "licence": "licences",
    "author": "authors",
}


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    return pool_statistics(read_tsv(source.inputs["pool"]), read_json(source.inputs["paper"]))


def pool_statistics(
    pool: Sequence[Mapping[str, str]], paper: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One row per quantity and value: adapters with it, here and in the paper's pool."""
    rows: list[dict[str, Any]] = []
    for quantity, key in QUANTITIES.items():
        ours = Counter(_value(row, quantity) for row in pool)
        theirs: Counter[str] = Counter()
        for value, count in paper.get(key, {}).items():
            theirs[_spelt(quantity, value)] += count
        order = sorted({*ours, *theirs}, key=lambda value: (-ours[value], -theirs[value], value))
        rows += [
            {
                "quantity": quantity,
                "value": value,
                "adapters": ours[value],
                "share": exact(ours[value] / len(pool) if pool else None),
                "paper_adapters": theirs[value] if theirs else "",
                "paper_share": exact(theirs[value] / theirs.total() if theirs else None),
            }
            for value in order
        ]
    return rows


def _value(row: Mapping[str, str], quantity: str) -> str:
    if quantity == "alpha / rank":
        return _number(float(row["alpha"]) / float(row["rank"]))
    if quantity in ("rank", "alpha"):
        return _number(row[quantity])
    if quantity == "module set":
        return module_set(row["modules"].split(","))
    return row.get(quantity) or "none given"


def _spelt(quantity: str, value: str) -> str:
    """The paper's value in this project's words; what its configs do not say is 'unknown'."""
    if value in ("nan", "None"):
        return "unknown"
    if quantity == "module set":
        return module_set(value.split(","))
    return _number(value) if quantity in ("rank", "alpha", "alpha / rank") else value


def _number(value: str | float) -> str:
    return f"{float(value):.3g}"


ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


def module_set(modules: Iterable[str]) -> str:
    """Module names in short: 'all linear', 'attention', 'MLP', 'q v', 'all linear + lm_head'."""
    kinds = {name.rsplit(".", 1)[-1] for name in modules}
    linear = kinds.intersection(ATTENTION + MLP)
    whole = {frozenset(ATTENTION + MLP): "all linear", frozenset(ATTENTION): "attention",
             frozenset(MLP): "MLP"}  # fmt: skip
    short = " ".join(name.removesuffix("_proj") for name in ATTENTION + MLP if name in linear)
    words = [whole.get(frozenset(linear), short)] if linear else []
    return " + ".join([*words, *sorted(kinds - linear)])
