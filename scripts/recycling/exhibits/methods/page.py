"""The methods and their settings, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis.cells import Row
from recycling.analysis.markup import Page
from recycling.analysis.names import method_label, selection_label

HEADS = {
    "method": "Method",
    "selections": "Selection",
    "k": "K",
    "granularity": "Granularity",
    "activation": "Activation",
    "init": "Initialisation",
    "optimised": "Optimised",
    "lr": "Learning rate",
    "steps": "Steps",
    "batch_size": "Batch",
    "others": "Other settings",
}
NOTE = (
    "From the configuration; a blank is the method's own default or does not apply. Variants of a "
    "method that an experiment varies are in runs.tsv."
)


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table."""
    lines = [
        dict(row)
        | {
            "method": method_label(row["method"]),
            "selections": ", ".join(
                selection_label(name) for name in row["selections"].split(", ") if name
            ),
        }
        for row in rows
    ]
    return Page("The methods and their settings", HEADS, lines, NOTE)
