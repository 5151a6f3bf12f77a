"""What tables of comparisons read: the runs, the paper's reported figures, the statistics."""

import pandas as pd

from recycling.analysis.paired import Settings
from recycling.analysis.reported import load_reported
from recycling.analysis.runs import load_runs
from recycling.exhibits.source import Source


def load_comparison(source: Source) -> tuple[pd.DataFrame, pd.DataFrame, Settings]:
    """The runs, the paper's reported figures, and how differences are judged."""
    reported = load_reported(source.inputs["reported"], source.settings["paper"])
    return load_runs(source.inputs["runs"]), reported, load_statistics(source)


def load_statistics(source: Source) -> Settings:
    """How differences are judged."""
    return Settings(**source.settings["statistics"])
