rule scores:
    input:
        pool=lambda w: f"{OUT}/{folder_of(w.pool)}/pool.tsv",
        cards=expand(f"{OUT}/tasks/{{task}}/card.json", task=config["tasks"]["names"]),
        base=f"{OUT}/base.json",
        lock=LOCK,
    output:
        scores=f"{OUT}/scores/{{pool}}/part-{{part}}.tsv",
    log:
        f"{OUT}/logs/scores/{{pool}}/part-{{part}}.log",
    params:
        settings=lambda w: {
            "part": int(w.part),
            "parts": config["scoring"]["jobs"],
            "splits": ["train", "validation"],
            "bench": BENCH,
        },
        code=code("scores"),
    script:
        "../scripts/scores.py"


rule selections:
    input:
        pool=lambda w: f"{OUT}/{folder_of(w.pool)}/pool.tsv",
        scores=lambda w: scores_for(w.pool, w.task),
    output:
        selections=f"{OUT}/selections/{{pool}}/{{task}}.tsv",
    log:
        f"{OUT}/logs/selections/{{pool}}/{{task}}.log",
    params:
        settings=lambda w: {
            "task": w.task,
            "splits": config["scoring"]["splits"].split("+"),
            "selections": PLAN.selections(w.pool, w.task),
        },
        code=code("selections"),
    script:
        "../scripts/selections.py"


def scores_for(pool, task):
    """All parts of a pool's scores, where a selection of the task needs them."""
    if not any(
        selection == "evaluation" for selection, _ in PLAN.selections(pool, task)
    ):
        return []
    parts = range(config["scoring"]["jobs"])
    return [f"{OUT}/scores/{pool}/part-{part}.tsv" for part in parts]
