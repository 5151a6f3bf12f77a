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


def evaluated_selections():
    """The selections of the hub's pool that hold an order by evaluation."""
    return [
        f"{OUT}/selections/hub/{task}.tsv"
        for task in config["tasks"]["names"]
        if scores_for("hub", task)
    ]


# The tables of experiments that vary settings, with their place in the report.
VARIED = {
    "design": ("Design", "One choice at a time"),
    "lora_sweep": ("Methods", "The target LoRA's settings"),
    "capacity": ("Controls", "Recycled or mere capacity"),
}


def varied_tables():
    """Those of VARIED that the study has runs for."""
    asked = {"design": "design", "lora_sweep": "lora_sweep", "capacity": "random_basis"}
    return [name for name in VARIED if asked[name] in config["experiments"]]


def ablated_method():
    """The method that the ablations of the design start from; '' where there are none."""
    grids = config["experiments"].get("design")
    return grids[0]["methods"][0] if grids else ""


def configured(method):
    """The settings of a method; none where the study has no such method."""
    return config["methods"].get(method, {}).get("settings", {})


def hub_scores():
    """All parts of the scores of the hub's pool, if it is scored."""
    scored = [scores_for("hub", task) for task in config["tasks"]["names"]]
    return next(filter(None, scored), [])


def exported_batch(wildcards):
    return PLAN.batch_of(run_of_export(config["export"][wildcards.name]))


def figure(name, category, label):
    """The two files of a figure, both in the report."""
    return {
        kind: report(
            f"{OUT}/figures/{name}.{kind}",
            caption=f"../report/figure_{name}.rst",
            category=category,
            labels={"figure": label, "format": kind.upper()},
        )
        for kind in ("svg", "png")
    }


def drawn_run():
    """The run whose coefficients are drawn: the largest merge by evaluation with the target LoRA."""
    shown = [
        run
        for _, run in PLAN.rows
        if config["methods"][run.method].get("function") == "ours"
        and (run.pool, run.selection, run.target, run.reinit)
        == ("hub", "evaluation", "with", "none")
    ]
    return canonical(max(shown, key=lambda run: run.k), PLAN.kinds) if shown else None


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
