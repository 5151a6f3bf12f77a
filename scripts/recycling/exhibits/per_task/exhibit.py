"""Accuracy of every task by every row of the main table."""

from recycling.exhibits.exhibit import Exhibit, runs

EXHIBIT = Exhibit(
    title="Task by task",
    chapter="Methods",
    inputs=lambda study: {**runs(study), "main": f"{study.out}/tables/main.tsv"},
)
