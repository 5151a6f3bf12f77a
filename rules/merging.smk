rule merges:
    input:
        unpack(batch_inputs),
    output:
        runs=RUNS,
    log:
        RUNS_LOG,
    wildcard_constraints:
        method=methods_of("merge"),
    conda:
        "../envs/environment.yaml"
    params:
        settings=batch_orders,
        code=batch_code,
    script:
        "../scripts/merges.py"


rule adaptive_merges:
    input:
        unpack(batch_inputs),
    output:
        runs=RUNS,
    log:
        RUNS_LOG,
    wildcard_constraints:
        method=methods_of("adapt"),
    priority: 1
    conda:
        "../envs/environment.yaml"
    params:
        settings=batch_orders,
        code=batch_code,
    script:
        "../scripts/adaptive_merges.py"


rule merging:
    input:
        STUDY.runs_files("merge", "adapt"),
