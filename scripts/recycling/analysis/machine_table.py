"""What the jobs of a study took of their machines, summed up by rule."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from recycling.analysis.markup import write_markdown

HEADS = {
    "rule": "Rule",
    "jobs": "Jobs",
    "wall": "Wall (s)",
    "working": "On results (s)",
    "loading": "Loading the base (s)",
    "overhead": "Overhead a job (s)",
    "cpu": "CPU (s)",
    "memory": "Memory (MB)",
    "gpu": "GPU",
    "gpu_mean": "GPU use (%)",
    "gpu_peak": "Peak (%)",
    "gpu_memory": "GPU memory (MB)",
}
COLUMNS = tuple(HEADS)
NOTE = (
    "The last start of every job that had ended when this table was made, from the files beside "
    "its log. Results: what went into the store (runs and scores), without the loading of the "
    "base. Overhead: all other time of a job that makes results, the loading included. Memory and "
    "the GPU's memory are the highest of a job's, GPU use is the mean by wall time."
)


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
    beside = (total["wall"] - total["working"]) / len(uses)
    return {
        "rule": rule,
        "jobs": len(uses),
        **{name: f"{seconds:.1f}" if seconds else "" for name, seconds in total.items()},
        "overhead": f"{beside:.1f}" if total["working"] else "",
        "memory": f"{max(use['memory'] for use in uses):.0f}",
        "gpu": ", ".join(sorted({gpu["name"] for _, gpu in on_gpu})),
        "gpu_mean": f"{sum(w * gpu['mean'] for w, gpu in seen) / watched:.0%}"[:-1] if seen else "",
        "gpu_peak": f"{max(gpu['peak'] for _, gpu in seen):.0%}"[:-1] if seen else "",
        "gpu_memory": f"{max(gpu['memory'] for _, gpu in on_gpu):.0f}" if on_gpu else "",
    }


def write_machine_page(path: str | Path, rows: list[Mapping[str, str]]) -> None:
    """rows: as of the TSV. Columns that are blank everywhere, as without a GPU, are left out."""
    heads = {name: head for name, head in HEADS.items() if any(row[name] for row in rows)}
    write_markdown(path, "What jobs took of their machines", heads, rows, NOTE)
