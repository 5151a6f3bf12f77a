"""Time and memory of jobs, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis.cells import Row
from recycling.analysis.markup import Page

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
NOTE = (
    "The last start of every job that had ended when this table was made, from the files beside "
    "its log. Results: what went into the store (runs and scores), without the loading of the "
    "base. Overhead: all other time of a job that makes results, the loading included. Memory and "
    "the GPU's memory are the highest of a job's, GPU use is the mean by wall time."
)


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table. Columns that are blank everywhere, as without a GPU, are left out."""
    heads = {name: head for name, head in HEADS.items() if any(row[name] for row in rows)}
    return Page("Time and memory of the study's jobs", heads, rows, NOTE)
