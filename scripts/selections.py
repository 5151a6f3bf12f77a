"""A task's selections: the pool's adapters in the order in which each rule takes them."""

from collections import Counter

from job import Job, run_job
from recycling.files import read_tsv, write_tsv
from recycling.jobs.pool_file import read_pool
from recycling.select import ranking
from recycling.select.evaluation import accuracies

COLUMNS = ("selection", "seed", "position", "repo_id", "score", "tied")


def main(job: Job) -> None:
    settings = job.params["settings"]
    rows = []
    for rule, seed in settings["selections"]:
        order = ranked(job, rule, seed)
        tied = Counter(order.scores)
        for position, (name, score) in enumerate(zip(order.names, order.scores, strict=True)):
            values = (rule, seed, position, name, score, tied[score])
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    write_tsv(job.output.selections, COLUMNS, rows)


def ranked(job: Job, rule: str, seed: int) -> ranking.Ranking:
    """The whole pool in the order of a selection; the seed breaks ties."""
    settings = job.params["settings"]
    pool = read_pool(job.input.pool)
    kind, _, fixed = rule.partition(":")
    if kind == "random":
        return ranking.random([row["repo_id"] for row in pool], int(fixed or seed))
    if rule == "rank":
        return ranking.by_score({row["repo_id"]: float(row["rank"]) for row in pool}, seed)
    if rule == "evaluation":
        rows = [row for path in job.input.scores for row in read_tsv(path)]
        return ranking.by_score(accuracies(rows, settings["task"], settings["splits"]), seed)
    rows = [row for path in job.input.similarity for row in read_tsv(path)]
    wanted = (settings["task"], str(seed), rule)
    scores = {
        row["repo_id"]: float(row["score"])
        for row in rows
        if (row["task"], row["seed"], row["measure"]) == wanted
    }
    return ranking.by_score(scores, seed)


if __name__ == "__main__":
    run_job(main)
