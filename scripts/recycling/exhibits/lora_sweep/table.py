"""The search over the target LoRA's hyper-parameters: learning rate, steps, rank."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recycling.analysis.experiments import LORA_SWEEP
from recycling.analysis.levels import DIFFERENCE, LEVEL, difference, level
from recycling.analysis.numbers import exact
from recycling.analysis.paired import Settings
from recycling.analysis.runs import load_runs
from recycling.analysis.variants import LR, parsed, setting, target_loras
from recycling.exhibits.inputs import load_statistics
from recycling.exhibits.source import Source

PATHS = {"lr": LR, "steps": "training.steps", "rank": "rank"}
COLUMNS = (*PATHS, "configured", *LEVEL, "validation_loss", *DIFFERENCE)


def rows(source: Source) -> list[dict[str, Any]]:
    """Rows of the table."""
    runs, settings = load_runs(source.inputs["runs"]), source.settings["method_settings"]
    return lora_sweep_table(runs, settings, load_statistics(source))


def lora_sweep_table(
    runs: pd.DataFrame, method_settings: Mapping[str, Any], settings: Settings
) -> list[dict[str, Any]]:
    """One row per point of the search. method_settings: those of the target LoRA; "yes" in the
    column of that name marks its own point. validation_loss: mean over tasks of the mean over
    seeds. difference: from the target LoRA as configured, paired. Every row is over the tasks
    that all of them have.
    """
    own = runs[runs["experiment"].isin(LORA_SWEEP) & (runs["method"] == "target_lora")]
    parts = {str(variant): part for variant, part in own.groupby("variant", sort=False)}
    tasks = set.intersection(*(set(part["task"]) for part in parts.values())) if parts else set()
    rows = []
    for variant, part in parts.items():
        changed = parsed(variant)
        if set(changed) - set(PATHS.values()):
            print(f"left out of the table: a target LoRA with {variant}")
            continue
        part = part[part["task"].isin(tasks)] if tasks else part
        loss = pd.to_numeric(part["validation_loss"], errors="coerce").groupby(part["task"])
        point = {name: setting(path, changed, method_settings) for name, path in PATHS.items()}
        row = point | level(part, settings) | {"validation_loss": exact(loss.mean().mean())}
        if variant:
            row |= difference(part, target_loras(runs), settings)
        rows.append(row | {"configured": "" if variant else "yes"})
    return sorted(rows, key=lambda row: tuple(float(row[name]) for name in ("steps", "rank", "lr")))
