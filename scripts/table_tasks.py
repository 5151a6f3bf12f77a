"""The tasks of the study: sizes of their splits, and what identifies their content."""

from job import Job, run
from recycling.analysis.markup import write_markdown
from recycling.analysis.numbers import exact, percent
from recycling.files import read_json, read_tsv, write_tsv

HEADS = {
    "task": "Task",
    "train": "Train",
    "validation": "Validation",
    "test": "Test",
    "in_house": "In-house",
    "majority": "Majority (%)",
    "max_new_tokens": "New tokens",
    "dropped": "Left out",
    "content": "Content",
}
NOTE = (
    "Examples by split. Majority: accuracy of always answering the most frequent training label. "
    "Left out: rows that were read and not used (too long, empty, a repetition). Content: the "
    "first digits of a SHA-256 over the task's files."
)


def main(job: Job) -> None:
    rows = []
    for card in map(read_json, job.input.cards):
        rows.append(
            {name: card[name] for name in ("task", "max_new_tokens", "content")}
            | {name: card["sizes"][name] for name in ("train", "validation", "test", "in_house")}
            | {"majority": exact(card["majority"]), "dropped": sum(card["dropped"].values())}
        )
    write_tsv(job.output.tsv, tuple(HEADS), rows)
    shown = [
        row | {"majority": percent(float(row["majority"])), "content": row["content"][:12]}
        for row in read_tsv(job.output.tsv)
    ]
    write_markdown(job.output.markdown, "The tasks", HEADS, shown, NOTE)


if __name__ == "__main__":
    run(main)
