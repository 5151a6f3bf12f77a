# The small world: what the Hub, and all who ever uploaded to it, are to the real study.
WORLD = config["world"]
config["hub"]["server"] = ["python", "scripts/loopback_hub.py", f"{OUT}/world/hub"]
config["hub"]["cache"] = f"{OUT}/world/cache"


rule miniature_base:
    output:
        folder=directory(f"{OUT}/world/base"),
    log:
        f"{OUT}/logs/world/base.log",
    conda:
        "../envs/environment.yaml"
    threads: 2
    params:
        settings=WORLD["base"],
        code=code("miniature_base"),
    script:
        "../scripts/miniature_base.py"


rule miniature_adapters:
    input:
        base=f"{OUT}/world/base",
    output:
        folder=directory(f"{OUT}/world/adapters/{{shard}}"),
    log:
        f"{OUT}/logs/world/adapters-{{shard}}.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings=lambda w: {
            "shard": int(w.shard),
            "shards": WORLD["shards"],
            "base_repo": config["base"]["repo"],
        },
        code=code("miniature_adapters"),
    script:
        "../scripts/miniature_adapters.py"


rule miniature_hub:
    input:
        base=f"{OUT}/world/base",
        adapters=expand(f"{OUT}/world/adapters/{{shard}}", shard=range(WORLD["shards"])),
    output:
        ready=f"{OUT}/world/hub/ready.json",
    log:
        f"{OUT}/logs/world/hub.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={
            "tasks": all_tasks(config),
            "base_repo": config["base"]["repo"],
            "alias": config["base"]["aliases"][0],
        },
        code=code("miniature_hub"),
    script:
        "../scripts/miniature_hub.py"


# The small tasks are drawn together: imports would take longer than the drawing.
ruleorder: miniature_tasks > task


rule miniature_tasks:
    input:
        specs=expand(f"{TASKS}/{{task}}.yaml", task=all_tasks(config)),
        base=STUDY.base_file,
        hub=HUB_READY,
    output:
        cards=STUDY.cards(all_tasks(config)),
        splits=expand(
            f"{OUT}/tasks/{{task}}/{{split}}.jsonl",
            task=all_tasks(config),
            split=SPLITS,
        ),
    log:
        f"{OUT}/logs/tasks.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings=SPLITTING,
        code=code("task"),
    script:
        "../scripts/task.py"
