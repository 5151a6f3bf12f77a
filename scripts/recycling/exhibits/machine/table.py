"""What the jobs of a study took of their machines, summed up by rule."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from recycling.exhibits.source import Source
from recycling.files import read_json
from recycling.usage import USE

COLUMNS = (
    "rule", "jobs", "wall", "working", "loading", "overhead", "cpu", "memory", "gpu", "gpu_mean",
    "gpu_peak", "gpu_memory",
)  # fmt: skip


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table, from the notes beside its logs."""
    logs = Path(source.inputs["runs"]).parent / "logs"
    return machine_table(read_json(path) for path in sorted(logs.rglob(f"*{USE}")))


def machine_table(uses: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row of COLUMNS a rule. uses: the files that `usage.Meter` measured, with their `rule`."""
    by_rule: dict[str, list[Mapping[str, Any]]] = {}
    for use in uses:
        by_rule.setdefault(use["rule"], []).append(use)
    return [_row(rule, by_rule[rule]) for rule in sorted(by_rule)]


def _row(rule: str, uses: list[Mapping[str, Any]]) -> dict[str, Any]:
    total = {name: sum(use[name] for use in uses) for name in ("wall", "working", "loading", "cpu")}
    on_gpu = [(use["wall"], use["gpu"]) for use in uses if use["gpu"]]
    seen = [(wall, gpu) for wall, gpu in on_gpu if gpu["mean"] is not None]
    watched = sum(wall for wall, _ in seen)
    overhead = (total["wall"] - total["working"]) / len(uses)
    return {
        "rule": rule,
        "jobs": len(uses),
        **{name: f"{seconds:.1f}" if seconds else "" for name, seconds in total.items()},
        "overhead": f"{overhead:.1f}" if total["working"] else "",
        "memory": f"{max(use['memory'] for use in uses):.0f}",
        "gpu": ", ".join(sorted({gpu["name"] for _, gpu in on_gpu})),
        "gpu_mean": f"{sum(w * gpu['mean'] for w, gpu in seen) / watched:.0%}"[:-1] if seen else "",
        "gpu_peak": f"{max(gpu['peak'] for _, gpu in seen):.0%}"[:-1] if seen else "",
        "gpu_memory": f"{max(gpu['memory'] for _, gpu in on_gpu):.0f}" if on_gpu else "",
    }
