"""A task's selections: the pool's adapters in the order in which each rule takes them."""

from collections import Counter

from job import Job, run
from recycling import select
from recycling.files import read_tsv, write_tsv

COLUMNS = ("selection", "seed", "position", "repo_id", "score", "tied")


def main(job: Job) -> None:
    names = [row["repo_id"] for row in read_tsv(job.input.pool)]
    rows = []
    for selection, seed in job.params["settings"]["selections"]:
        if selection == "random":
            ranking = select.random(names, seed)
        else:
            ranking = select.by_score(scores(job, selection), seed)
        tied = Counter(ranking.scores)
        pairs = enumerate(zip(ranking.names, ranking.scores, strict=True))
        for position, (name, score) in pairs:
            rows.append(
                dict(
                    zip(COLUMNS, (selection, seed, position, name, score, tied[score]), strict=True)
                )
            )
    write_tsv(job.output.selections, COLUMNS, rows)


def scores(job: Job, selection: str) -> dict[str, float]:
    """The score of every pool adapter under a rule that ranks by score."""
    task = job.params["settings"]["task"]
    return {
        row["repo_id"]: float(row["accuracy"])
        for path in job.input.scores
        for row in read_tsv(path)
        if row["task"] == task
    }


if __name__ == "__main__":
    run(main)
