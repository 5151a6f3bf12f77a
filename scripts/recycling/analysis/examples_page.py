"""The comparisons example by example, summed up for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recycling.analysis.markup import write_markdown

HEADS = {
    "comparison": "Claim",
    "effect_is": "a − b",
    "pairs": "Tasks × seeds",
    "a": "a better",
    "b": "b better",
    "open": "not told apart",
    "only_a": "Examples only a answers",
    "only_b": "Examples only b answers",
}
NOTE = (
    "Each task and seed on its own: McNemar's exact test on the examples that only one of two runs "
    "answers, with Holm's correction over the tasks and seeds of a comparison, at 5 %."
)


def write_examples_page(path: str | Path, rows: Sequence[Mapping[str, str]]) -> None:
    """rows: as of the TSV. One line a comparison: on how many tasks and seeds the two differ."""
    lines = []
    for name in dict.fromkeys(row["comparison"] for row in rows):
        part = [row for row in rows if row["comparison"] == name]
        sure = [row for row in part if float(row["mcnemar_p_holm"]) < 0.05]
        better = sum(float(row["difference"]) > 0 for row in sure)
        lines.append(
            {
                "comparison": name,
                "effect_is": part[0]["effect_is"],
                "pairs": str(len(part)),
                "a": str(better),
                "b": str(len(sure) - better),
                "open": str(len(part) - len(sure)),
                "only_a": str(sum(int(row["only_a"]) for row in part)),
                "only_b": str(sum(int(row["only_b"]) for row in part)),
            }
        )
    write_markdown(path, "Task by task, example by example", HEADS, lines, NOTE)
