rule runs:
    input:
        runs=[path_of(one) for one in PLAN.batches.values() if one.experiment != "export"],
        cards=expand(f"{OUT}/tasks/{{task}}/card.json", task=config["tasks"]["names"]),
    output:
        runs=f"{OUT}/runs.tsv",
    log:
        f"{OUT}/logs/runs.log",
    params:
        settings=essence(config),
        code=code("runs"),
    script:
        "../scripts/runs.py"
