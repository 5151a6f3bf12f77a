@functools.cache
def similar(pool):
    """(task, seed, measure) of every selection by similarity to a target LoRA."""
    return [
        (task, seed, rule)
        for task in config["tasks"]["names"]
        for rule, seed in PLAN.selections(pool, task)
        if by_likeness(rule)
    ]


def scores_for(pool, task):
    """All parts of a pool's scores, where a selection of the task needs them."""
    if not any(rule == "evaluation" for rule, _ in PLAN.selections(pool, task)):
        return []
    parts = range(config["scoring"]["jobs"])
    return [f"{OUT}/scores/{pool}/part-{part}.tsv" for part in parts]


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


rule similarity:
    input:
        pool=lambda w: f"{OUT}/{folder_of(w.pool)}/pool.tsv",
        targets=lambda w: [
            path_of(PLAN.trainer(task, seed))
            for task, seed in sorted({(task, seed) for task, seed, _ in similar(w.pool)})
        ],
        lock=LOCK,
    output:
        similarity=f"{OUT}/similarity/{{pool}}.tsv",
    log:
        f"{OUT}/logs/similarity/{{pool}}.log",
    params:
        settings=lambda w: {
            "targets": sorted({(task, seed) for task, seed, _ in similar(w.pool)}),
            "measures": sorted({rule for _, _, rule in similar(w.pool)}),
        },
        code=code("similarity"),
    script:
        "../scripts/similarity.py"


rule selections:
    input:
        pool=lambda w: f"{OUT}/{folder_of(w.pool)}/pool.tsv",
        scores=lambda w: scores_for(w.pool, w.task),
        similarity=lambda w: (
            [f"{OUT}/similarity/{w.pool}.tsv"]
            if any(task == w.task for task, _, _ in similar(w.pool))
            else []
        ),
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
