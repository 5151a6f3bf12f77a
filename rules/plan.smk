# What is still to do, and what it will take: printed before anything is submitted.
rule plan:
    log:
        f"{OUT}/logs/plan.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings=lambda w: {
            "batches": [planned_batch(one) for one in PLAN.batches.values()],
            "candidates": f"{OUT}/pool/candidates.tsv",
            "pool": f"{OUT}/pool/pool.tsv",
            "cards": [f"{OUT}/tasks/{task}/card.json" for task in all_tasks(config)],
            "scores": {
                pool: [
                    f"{OUT}/scores/{pool}/part-{part}.tsv"
                    for part in range(config["scoring"]["jobs"])
                ]
                for pool in ("hub", "in_house")
                if any(scores_for(pool, task) for task in config["tasks"]["names"])
            },
            "tasks": len(config["tasks"]["names"]),
            "in_house": len(PLAN.in_house),
            "fetched": fetched(),
            "estimates": "resources/estimates.yaml",
        },
        code=code("plan"),
    script:
        "../scripts/plan.py"
