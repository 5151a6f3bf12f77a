rule runs:
    input:
        runs=STUDY.all_runs_files(),
        cards=STUDY.cards(),
    output:
        runs=f"{OUT}/runs.tsv",
    log:
        f"{OUT}/logs/runs.log",
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        settings=row_settings(config),
        code=code("runs"),
    script:
        "../scripts/runs.py"


rule claims:
    input:
        runs=f"{OUT}/runs.tsv",
        reported="resources/reported.tsv",
    output:
        claims=f"{OUT}/claims.json",
    log:
        f"{OUT}/logs/claims.log",
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        settings={"statistics": config["claims"], "paper": config["paper"]},
        code=code("claims"),
    script:
        "../scripts/claims.py"
