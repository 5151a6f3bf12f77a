"""Measure all candidates for target tasks, choose by the rule and write the task files.

    python scripts/miniature_targets.py BASE_FOLDER TASKS_FOLDER PAGE.md [PROCESSES]

It takes about ten minutes of CPU time. The result is committed; the workflow does not run it.
"""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

SEEDS = (0, 1)


def measure(base: str, job: tuple[Any, Any, int]) -> dict[str, Any]:
    """Measure one task with one LoRA, in a separate process with one thread."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    from recycling.miniature import targets

    torch.set_num_threads(1)
    logging.disable_progress_bar()
    question, settings, seed = job
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    return targets.measure(model, AutoTokenizer.from_pretrained(base), question, settings, seed)


def means(rows: Sequence[Mapping[str, Any]], key: str) -> dict[str, dict[str, float]]:
    """Value of `key` -> means over the rows with this value, in order of appearance."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    numbers = ("majority", "base", "lora", "validation_loss", "best_step")
    return {
        name: {number: fmean(row[number] for row in group) for number in numbers}
        for name, group in groups.items()
    }


def main(base: str, tasks: str, page: str, processes: int = 2) -> None:
    """base: folder of the base. tasks: folder of the task files. page: Markdown file to write."""
    from recycling.miniature import datasets, targets, targets_page
    from recycling.miniature.task_family import candidates, development, siblings, task_name

    grid, questions = targets.grid(), candidates()
    with ProcessPoolExecutor(processes) as pool:
        jobs = [(question, settings, 0) for settings in grid for question in development()]
        searched = [
            {**row, "settings": f"lr {row['lr']}, rank {row['rank']}, {row['steps']} steps"}
            for row in pool.map(partial(measure, base), jobs)
        ]
        search = means(searched, "settings")
        best = min(range(len(grid)), key=lambda i: list(search.values())[i]["validation_loss"])
        jobs = [(question, grid[best], seed) for question in questions for seed in SEEDS]
        rows = list(pool.map(partial(measure, base), jobs))
    table = means(rows, "task")
    verdicts = targets.choose(questions, table)
    chosen = [question for question in questions if verdicts[task_name(question)] == "chosen"]
    source_tasks = siblings(chosen, targets.SIBLINGS)
    for question in (*chosen, *source_tasks):
        datasets.write_task_file(tasks, question)
    text = targets_page.page(search, list(search)[best], table, verdicts, source_tasks)
    Path(page).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit((__doc__ or "").strip())
    base, tasks, page, *processes = sys.argv[1:]
    main(base, tasks, page, *map(int, processes))
