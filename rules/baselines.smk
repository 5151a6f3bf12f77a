rule zero_shot:
    input:
        base=f"{OUT}/base.json",
        cards=cards_of,
    output:
        runs=f"{OUT}/runs/{{experiment}}/{{method}}/{{part}}.jsonl",
    log:
        f"{OUT}/logs/runs/{{experiment}}/{{method}}/{{part}}.log",
    wildcard_constraints:
        method=methods_of("prompting"),
    conda:
        "../envs/environment.yaml"
    params:
        settings=batch_settings,
        code=code("zero_shot"),
    script:
        "../scripts/zero_shot.py"


rule loras:
    input:
        base=f"{OUT}/base.json",
        cards=cards_of,
    output:
        runs=f"{OUT}/runs/{{experiment}}/{{method}}/{{part}}.jsonl",
    log:
        f"{OUT}/logs/runs/{{experiment}}/{{method}}/{{part}}.log",
    wildcard_constraints:
        method=methods_of("lora"),
    priority: 2
    conda:
        "../envs/environment.yaml"
    params:
        settings=batch_settings,
        code=code("loras"),
    script:
        "../scripts/loras.py"


rule baselines:
    input:
        [
            path_of(one)
            for one in PLAN.batches.values()
            if PLAN.kinds[one.method] in ("prompting", "lora")
        ],
