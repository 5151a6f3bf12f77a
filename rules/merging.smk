rule merges:
    input:
        unpack(merge_inputs),
        base=f"{OUT}/base.json",
    output:
        runs=f"{OUT}/runs/{{experiment}}/{{method}}/{{part}}.jsonl",
    log:
        f"{OUT}/logs/runs/{{experiment}}/{{method}}/{{part}}.log",
    wildcard_constraints:
        method=methods_of("merge"),
    conda:
        "../envs/environment.yaml"
    params:
        settings=batch_settings,
        code=lambda w: code("merges", *named_modules(w.method)),
    script:
        "../scripts/merges.py"


rule adaptive_merges:
    input:
        unpack(merge_inputs),
        base=f"{OUT}/base.json",
    output:
        runs=f"{OUT}/runs/{{experiment}}/{{method}}/{{part}}.jsonl",
    log:
        f"{OUT}/logs/runs/{{experiment}}/{{method}}/{{part}}.log",
    wildcard_constraints:
        method=methods_of("adapt"),
    priority: 1
    conda:
        "../envs/environment.yaml"
    params:
        settings=batch_settings,
        code=lambda w: code("adaptive_merges", *named_modules(w.method)),
    script:
        "../scripts/adaptive_merges.py"


rule merging:
    input:
        [
            path_of(one)
            for one in PLAN.batches.values()
            if PLAN.kinds[one.method] in ("merge", "adapt")
        ],
