rule zero_shot:
    input:
        unpack(batch_inputs),
    output:
        runs=RUNS,
    log:
        RUNS_LOG,
    wildcard_constraints:
        method=methods_of("prompting"),
    conda:
        "../envs/environment.yaml"
    params:
        settings=batch_orders,
        code=batch_code,
    script:
        "../scripts/zero_shot.py"


rule loras:
    input:
        unpack(batch_inputs),
    output:
        runs=RUNS,
    log:
        RUNS_LOG,
    wildcard_constraints:
        method=methods_of("lora"),
    priority: 2
    conda:
        "../envs/environment.yaml"
    params:
        settings=batch_orders,
        code=batch_code,
    script:
        "../scripts/loras.py"


rule baselines:
    input:
        STUDY.runs_files("prompting", "lora"),
