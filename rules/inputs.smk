# What rules read, where that follows from the plan.


def cards_of(wildcards):
    """The data of a batch's tasks."""
    return [f"{OUT}/tasks/{task}/card.json" for task in batch(wildcards).tasks]


def pool_files(one):
    """The files of the pools from which the runs of a batch draw."""
    pools = dict.fromkeys(pool for pool, _ in one.draws)
    return [f"{OUT}/{folder_of(pool)}/pool.tsv" for pool in pools]


def selection_files(one):
    return [f"{OUT}/selections/{pool}/{task}.tsv" for pool, task in one.draws]


def listed_candidates():
    """The file that lists the pool's candidates, where the study names one."""
    source = config["pool"]["source"]
    key = {"repos": "repos", "frozen": "candidates"}.get(source)
    return config["pool"][key] if key and isinstance(config["pool"][key], str) else []


def adapters_of(one):
    """Where the adapters that a batch merges come from: pools, selections, target LoRAs."""
    return {
        "pools": pool_files(one),
        "selections": selection_files(one),
        "targets": [path_of(trained) for trained in PLAN.targets(one)],
    }


def merge_inputs(wildcards):
    """What follows from the plan of what a merge reads."""
    one = batch(wildcards)
    return {**adapters_of(one), "cards": cards_of(wildcards)}


def scores_for(pool, task):
    """All parts of a pool's scores, where a selection of the task needs them."""
    if not any(
        selection == "evaluation" for selection, _ in PLAN.selections(pool, task)
    ):
        return []
    parts = range(config["scoring"]["jobs"])
    return [f"{OUT}/scores/{pool}/part-{part}.tsv" for part in parts]


@functools.cache
def targets_of(pool):
    """(task, seed) of the target LoRAs with which a pool's adapters are compared."""
    return sorted({(task, seed) for task, seed, _ in PLAN.likenesses(pool)})


def similarity_for(pool, task):
    """The pool's similarities, where a selection of the task needs them."""
    return [f"{OUT}/similarity/{pool}.tsv"] if task in dict(targets_of(pool)) else []


def exported_batch(wildcards):
    return PLAN.batch_of(run_of_export(config["export"][wildcards.name]))


# The scripts that compute the runs of each kind of method.
SCRIPTS = {
    "prompting": "zero_shot",
    "lora": "loras",
    "merge": "merges",
    "adapt": "adaptive_merges",
}


def fetched():
    """What the study has to download, and how many adapters it knows to expect."""
    pool = config["pool"]
    known = None
    if pool["source"] == "folder":
        known = sum(entry.is_dir() for entry in os.scandir(pool["folder"]))
    elif isinstance(pool["repos"], list):
        known = len(pool["repos"])
    return {
        "base": not (config["world"] or os.path.isdir(config["base"]["repo"])),
        "pool": not (config["world"] or pool["source"] == "folder"),
        "adapters": known,
    }


def planned_batch(one):
    """A batch as its job will see it."""
    kind = PLAN.kinds[one.method]
    return {
        "experiment": one.experiment,
        "kind": kind,
        "settings": settings_of(one),
        "code": code(SCRIPTS[kind], *named_modules(one.method)),
        "output": path_of(one),
        "input": {
            "base": f"{OUT}/base.json",
            "cards": [f"{OUT}/tasks/{task}/card.json" for task in one.tasks],
            **(adapters_of(one) if kind in ("merge", "adapt") else {}),
        },
    }
