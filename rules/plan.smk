# What is still to do, and what it will take: printed before anything is submitted.
rule plan:
    input:
        estimates="resources/estimates.yaml",
    log:
        f"{OUT}/logs/plan.log",
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        settings=config,
        code=code("forecast"),
    script:
        "../scripts/forecast.py"
