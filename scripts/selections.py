"""A task's selections: the pool's adapters in the order in which each rule takes them."""

from collections import Counter

from job import Job, run
from recycling import select
from recycling.files import read_tsv, write_tsv
from recycling.select.evaluation import accuracies

COLUMNS = ("selection", "seed", "position", "repo_id", "score", "tied")


def main(job: Job) -> None:
    settings = job.params["settings"]
    rows = []
    for rule, seed in settings["selections"]:
        ranking = ranked(job, rule, seed)
        tied = Counter(ranking.scores)
        for position, (name, score) in enumerate(zip(ranking.names, ranking.scores, strict=True)):
            values = (rule, seed, position, name, score, tied[score])
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    write_tsv(job.output.selections, COLUMNS, rows)


def ranked(job: Job, rule: str, seed: int) -> select.Ranking:
    """The whole pool in the order of a rule; ties are broken by the seed."""
    settings = job.params["settings"]
    pool = read_tsv(job.input.pool)
    kind, _, fixed = rule.partition(":")
    if kind == "random":
        return select.random([row["repo_id"] for row in pool], int(fixed or seed))
    if rule == "rank":
        return select.by_score({row["repo_id"]: float(row["rank"]) for row in pool}, seed)
    if rule == "evaluation":
        rows = [row for path in job.input.scores for row in read_tsv(path)]
        return select.by_score(accuracies(rows, settings["task"], settings["splits"]), seed)
    rows = [row for path in job.input.similarity for row in read_tsv(path)]
    wanted = (settings["task"], str(seed), rule)
    scores = {
        row["repo_id"]: float(row["score"])
        for row in rows
        if (row["task"], row["seed"], row["measure"]) == wanted
    }
    return select.by_score(scores, seed)


if __name__ == "__main__":
    run(main)
