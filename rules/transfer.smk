rule in_house:
    input:
        runs=[path_of(one) for one in PLAN.in_house],
    output:
        pool=f"{OUT}/in_house/pool.tsv",
    log:
        f"{OUT}/logs/in_house.log",
    priority: 2
    conda:
        "../envs/environment.yaml"
    params:
        settings={"seed": (config["in_house"] or {}).get("seed")},
        code=code("in_house"),
    script:
        "../scripts/in_house.py"


rule relevant_transfer:
    input:
        paths_of("relevant_transfer"),
