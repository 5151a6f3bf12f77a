"""Marks that follow from where a test lies."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUN_SNAKEMAKE = (HERE / "workflow", HERE / "slurm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in RUN_SNAKEMAKE):
            item.add_marker(pytest.mark.workflow)
