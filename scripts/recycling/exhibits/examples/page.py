"""The comparisons example by example, summed up, formatted for the report."""

from collections.abc import Sequence

from recycling.analysis.cells import Row
from recycling.analysis.markup import Page

HEADS = {
    "comparison": "Claim",
    "effect_is": "a − b",
    "pairs": "Tasks × seeds",
    "a": "a better",
    "b": "b better",
    "open": "no difference shown",
    "only_a": "Examples only a answers",
    "only_b": "Examples only b answers",
}
NOTE = (
    "Each task and seed separately: McNemar's exact test on the examples that only one of two runs "
    "answers, with Holm's correction over the tasks and seeds of a comparison, at 5 %."
)


def page(rows: Sequence[Row]) -> Page:
    """rows: of the table. One line per comparison: on how many tasks and seeds the runs differ."""
    lines = []
    for name in dict.fromkeys(row["comparison"] for row in rows):
        part = [row for row in rows if row["comparison"] == name]
        significant = [row for row in part if float(row["mcnemar_p_holm"]) < 0.05]
        better = sum(float(row["difference"]) > 0 for row in significant)
        lines.append(
            {
                "comparison": name,
                "effect_is": part[0]["effect_is"],
                "pairs": str(len(part)),
                "a": str(better),
                "b": str(len(significant) - better),
                "open": str(len(part) - len(significant)),
                "only_a": str(sum(int(row["only_a"]) for row in part)),
                "only_b": str(sum(int(row["only_b"]) for row in part)),
            }
        )
    return Page("Task by task, example by example", HEADS, lines, NOTE)
