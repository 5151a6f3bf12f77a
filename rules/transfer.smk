rule in_house:
    input:
        runs=STUDY.in_house_files(),
    output:
        pool=STUDY.pool_file("in_house"),
    log:
        f"{OUT}/logs/in_house.log",
    priority: 2
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        settings={"seed": (config["in_house"] or {}).get("seed")},
        code=code("in_house"),
    script:
        "../scripts/in_house.py"


rule relevant_transfer:
    input:
        STUDY.experiment_files("relevant_transfer"),
