rule scores:
    input:
        pool=lambda w: STUDY.pool_file(w.pool),
        cards=STUDY.cards(),
        base=STUDY.base_file,
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
            "model": STUDY.model.to_json(),
        },
        code=code("scores"),
    script:
        "../scripts/scores.py"


rule similarity:
    input:
        unpack(lambda w: STUDY.similarity_inputs(w.pool)),
    output:
        similarity=f"{OUT}/similarity/{{pool}}.tsv",
    log:
        f"{OUT}/logs/similarity/{{pool}}.log",
    priority: 2
    conda:
        "../envs/environment.yaml"
    params:
        settings=lambda w: STUDY.similarity_settings(w.pool),
        code=code("similarity"),
    script:
        "../scripts/similarity.py"


rule selections:
    input:
        unpack(lambda w: STUDY.selection_inputs(w.pool, w.task)),
    output:
        selections=f"{OUT}/selections/{{pool}}/{{task}}.tsv",
    log:
        f"{OUT}/logs/selections/{{pool}}/{{task}}.log",
    priority: 2
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        settings=lambda w: STUDY.selection_settings(w.pool, w.task),
        code=lambda w: STUDY.selection_code(w.pool, w.task),
    script:
        "../scripts/selections.py"
