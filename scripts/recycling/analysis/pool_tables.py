"""What became of the candidates, and what the kept adapters look like."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recycling.analysis.numbers import exact

FUNNEL_COLUMNS = ("step", "reason", "adapters", "left")


def funnel(kept: Sequence[Mapping[str, str]], rejected: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Candidates, then one row a reason (most frequent first) with what is left after it, then the pool."""
    left = len(kept) + len(rejected)
    rows: list[dict[str, Any]] = [
        {"step": "candidates", "reason": "", "adapters": left, "left": left}
    ]
    counts = Counter(row["reason"] for row in rejected)
    for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        left -= count
        rows.append({"step": "rejected", "reason": reason, "adapters": count, "left": left})
    return [*rows, {"step": "pool", "reason": "", "adapters": left, "left": left}]


STATISTICS_COLUMNS = ("quantity", "value", "adapters", "share", "paper_adapters", "paper_share")
# Of pool.tsv, and the key of resources/paper_pool.json with the paper's counts.
QUANTITIES = {
    "rank": "rank",
    "alpha / rank": "alpha_over_r",
    "module set": "target_modules",
    "licence": "licence",
    "author": "authors",
}


def pool_statistics(
    pool: Sequence[Mapping[str, str]], paper: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One row a quantity and value: adapters with it here, and in the paper's pool where known.

    share: of the adapters whose value is known. The paper's counts are over its whole pool.
    """
    rows = []
    for quantity, key in QUANTITIES.items():
        ours = Counter(_value(row, quantity) for row in pool)
        theirs = Counter({_spelt(quantity, value): count for value, count in paper.get(key, {}).items()})
        for value in sorted({*ours, *theirs}, key=lambda value: (-ours[value], -theirs[value], value)):
            rows.append(
                {
                    "quantity": quantity,
                    "value": value,
                    "adapters": ours[value],
                    "share": exact(ours[value] / len(pool) if pool else None),
                    "paper_adapters": theirs[value] if theirs else "",
                    "paper_share": exact(theirs[value] / theirs.total() if theirs else None),
                }
            )
    return rows


def _value(row: Mapping[str, str], quantity: str) -> str:
    if quantity == "alpha / rank":
        return _number(str(float(row["alpha"]) / float(row["rank"])))
    if quantity == "rank":
        return _number(row["rank"])
    if quantity == "module set":
        return module_set(row["modules"].replace(",", " ").split())
    return row.get(quantity) or "none given"


def _spelt(quantity: str, value: str) -> str:
    if quantity == "module set":
        return module_set(value.split(",")) if value != "None" else "unknown"
    if quantity in ("rank", "alpha / rank"):
        return "unknown" if value == "nan" else _number(value)
    return value


def _number(text: str) -> str:
    return f"{float(text):.3g}"


ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
MLP = {"gate_proj", "up_proj", "down_proj"}


def module_set(modules: Iterable[str]) -> str:
    """A set of module names in short: 'all linear', 'attention', 'MLP', 'q v', 'q k v o + lm_head'."""
    kinds = {name.rsplit(".", 1)[-1] for name in modules}
    linear, other = kinds & (ATTENTION | MLP), sorted(kinds - ATTENTION - MLP)
    if linear == ATTENTION | MLP:
        words = ["all linear"]
    elif linear == ATTENTION:
        words = ["attention"]
    elif linear == MLP:
        words = ["MLP"]
    else:
        order = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
        words = [" ".join(name[:-5] for name in order if name in linear)] if linear else []
    return " + ".join([*words, *other])
