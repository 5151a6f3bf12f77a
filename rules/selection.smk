rule scores:
    input:
        pool=lambda w: f"{OUT}/{folder_of(w.pool)}/pool.tsv",
        cards=expand(f"{OUT}/tasks/{{task}}/card.json", task=config["tasks"]["names"]),
        base=f"{OUT}/base.json",
    output:
        scores=f"{OUT}/scores/{{pool}}/part-{{part}}.tsv",
    log:
        f"{OUT}/logs/scores/{{pool}}/part-{{part}}.log",
    priority: 2
    conda:
        "../envs/environment.yaml"
    params:
        settings=lambda w: {
            "part": int(w.part),
            "parts": config["scoring"]["jobs"],
            "splits": config["scoring"]["evaluated"],
            "bench": BENCH,
        },
        code=code("scores"),
    script:
        "../scripts/scores.py"


rule similarity:
    input:
        pool=lambda w: f"{OUT}/{folder_of(w.pool)}/pool.tsv",
        targets=lambda w: [path_of(PLAN.trainer(*one)) for one in targets_of(w.pool)],
    output:
        similarity=f"{OUT}/similarity/{{pool}}.tsv",
    log:
        f"{OUT}/logs/similarity/{{pool}}.log",
    priority: 2
    conda:
        "../envs/environment.yaml"
    params:
        settings=lambda w: {
            "targets": targets_of(w.pool),
            "measures": sorted({rule for _, _, rule in PLAN.likenesses(w.pool)}),
        },
        code=code("similarity"),
    script:
        "../scripts/similarity.py"


rule selections:
    input:
        pool=lambda w: f"{OUT}/{folder_of(w.pool)}/pool.tsv",
        scores=lambda w: scores_for(w.pool, w.task),
        similarity=lambda w: similarity_for(w.pool, w.task),
    output:
        selections=f"{OUT}/selections/{{pool}}/{{task}}.tsv",
    log:
        f"{OUT}/logs/selections/{{pool}}/{{task}}.log",
    priority: 2
    conda:
        "../envs/environment.yaml"
    params:
        settings=lambda w: {
            "task": w.task,
            "splits": config["scoring"]["splits"].split("+"),
            "selections": PLAN.selections(w.pool, w.task),
        },
        code=code("selections"),
    script:
        "../scripts/selections.py"
