"""A task's selections: the pool's adapters in the order in which each rule takes them."""

from collections import Counter

from job import Job, run
from recycling import select
from recycling.files import read_tsv, write_tsv
from recycling.select.evaluation import accuracies

COLUMNS = ("selection", "seed", "position", "repo_id", "score", "tied")


def main(job: Job) -> None:
    settings = job.params["settings"]
    names = [row["repo_id"] for row in read_tsv(job.input.pool)]
    scored = [row for path in job.input.scores for row in read_tsv(path)]
    evaluation = accuracies(scored, settings["task"], settings["splits"])
    rows = []
    for rule, seed in settings["selections"]:
        if rule == "random":
            ranking = select.random(names, seed)
        else:
            ranking = select.by_score(evaluation, seed)
        tied = Counter(ranking.scores)
        for position, (name, score) in enumerate(zip(ranking.names, ranking.scores, strict=True)):
            values = (rule, seed, position, name, score, tied[score])
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    write_tsv(job.output.selections, COLUMNS, rows)


if __name__ == "__main__":
    run(main)
