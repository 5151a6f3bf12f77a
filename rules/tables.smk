DRAWN = drawn_run()
STATISTICS = {"statistics": config["claims"]}


rule runs:
    input:
        runs=[
            path_of(one) for one in PLAN.batches.values() if one.experiment != "export"
        ],
        cards=expand(f"{OUT}/tasks/{{task}}/card.json", task=config["tasks"]["names"]),
    output:
        runs=f"{OUT}/runs.tsv",
    log:
        f"{OUT}/logs/runs.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings=essence(config),
        code=code("runs"),
    script:
        "../scripts/runs.py"


rule table_main:
    input:
        runs=f"{OUT}/runs.tsv",
        reported="resources/reported.tsv",
    output:
        tsv=f"{OUT}/tables/main.tsv",
        markdown=f"{OUT}/tables/main.md",
        latex=f"{OUT}/tables/main.tex",
    log:
        f"{OUT}/logs/table_main.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={**STATISTICS, "paper": config["paper"]},
        code=code("table_main"),
    script:
        "../scripts/table_main.py"


rule table_per_task:
    input:
        runs=f"{OUT}/runs.tsv",
        main=f"{OUT}/tables/main.tsv",
    output:
        tsv=f"{OUT}/tables/per_task.tsv",
        markdown=f"{OUT}/tables/per_task.md",
    log:
        f"{OUT}/logs/table_per_task.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("table_per_task"),
    script:
        "../scripts/table_per_task.py"


rule table_k_sweep:
    input:
        runs=f"{OUT}/runs.tsv",
        reported="resources/reported.tsv",
    output:
        tsv=f"{OUT}/tables/k_sweep.tsv",
        markdown=f"{OUT}/tables/k_sweep.md",
        reinit_tsv=f"{OUT}/tables/random_init.tsv",
        reinit_markdown=f"{OUT}/tables/random_init.md",
    log:
        f"{OUT}/logs/table_k_sweep.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={**STATISTICS, "paper": config["paper"]},
        code=code("table_k_sweep"),
    script:
        "../scripts/table_k_sweep.py"


rule table_relevant_transfer:
    input:
        runs=f"{OUT}/runs.tsv",
        reported="resources/reported.tsv",
    output:
        tsv=f"{OUT}/tables/relevant_transfer.tsv",
        markdown=f"{OUT}/tables/relevant_transfer.md",
    log:
        f"{OUT}/logs/table_relevant_transfer.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={**STATISTICS, "paper": config["paper"]},
        code=code("table_relevant_transfer"),
    script:
        "../scripts/table_relevant_transfer.py"


rule table_differences:
    input:
        runs=f"{OUT}/runs.tsv",
    output:
        tsv=f"{OUT}/tables/differences.tsv",
    log:
        f"{OUT}/logs/table_differences.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("table_differences"),
    script:
        "../scripts/table_differences.py"


rule table_coefficients:
    input:
        runs=path_of(PLAN.batch_of(DRAWN)) if DRAWN else [],
    output:
        tsv=f"{OUT}/tables/coefficients.tsv",
    log:
        f"{OUT}/logs/table_coefficients.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={"run": fields(DRAWN) if DRAWN else None},
        code=code("table_coefficients"),
    script:
        "../scripts/table_coefficients.py"


rule table_contrasts:
    input:
        runs=f"{OUT}/runs.tsv",
        reported="resources/reported.tsv",
    output:
        tsv=f"{OUT}/tables/contrasts.tsv",
        markdown=f"{OUT}/tables/contrasts.md",
    log:
        f"{OUT}/logs/table_contrasts.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={**STATISTICS, "paper": config["paper"]},
        code=code("table_contrasts"),
    script:
        "../scripts/table_contrasts.py"


rule table_examples:
    input:
        runs=f"{OUT}/runs.tsv",
    output:
        tsv=f"{OUT}/tables/examples.tsv",
        markdown=f"{OUT}/tables/examples.md",
    log:
        f"{OUT}/logs/table_examples.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings=STATISTICS,
        code=code("table_examples"),
    script:
        "../scripts/table_examples.py"


rule table_cost:
    input:
        runs=f"{OUT}/runs.tsv",
        main=f"{OUT}/tables/main.tsv",
    output:
        tsv=f"{OUT}/tables/cost.tsv",
    log:
        f"{OUT}/logs/table_cost.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("table_cost"),
    script:
        "../scripts/table_cost.py"


rule claims:
    input:
        runs=f"{OUT}/runs.tsv",
        reported="resources/reported.tsv",
    output:
        claims=f"{OUT}/claims.json",
        page=f"{OUT}/tables/claims.md",
    log:
        f"{OUT}/logs/claims.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={**STATISTICS, "paper": config["paper"]},
        code=code("claims"),
    script:
        "../scripts/claims.py"


rule table_methods:
    output:
        tsv=f"{OUT}/tables/methods.tsv",
        markdown=f"{OUT}/tables/methods.md",
    log:
        f"{OUT}/logs/table_methods.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={
            "methods": used_methods(config),
            "experiments": config["experiments"],
        },
        code=code("table_methods"),
    script:
        "../scripts/table_methods.py"


rule table_tasks:
    input:
        cards=expand(f"{OUT}/tasks/{{task}}/card.json", task=config["tasks"]["names"]),
    output:
        tsv=f"{OUT}/tables/tasks.tsv",
        markdown=f"{OUT}/tables/tasks.md",
    log:
        f"{OUT}/logs/table_tasks.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("table_tasks"),
    script:
        "../scripts/table_tasks.py"


# What it reads are notes beside the logs, which are no files of the plan: they never re-run it.


rule table_machine:
    input:
        runs=f"{OUT}/runs.tsv",
    output:
        tsv=f"{OUT}/tables/machine.tsv",
        markdown=f"{OUT}/tables/machine.md",
    log:
        f"{OUT}/logs/table_machine.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("table_machine"),
    script:
        "../scripts/table_machine.py"


PAGES = {
    "tasks": ("Tasks", "The tasks"),
    "claims": ("Claims", "The paper's claims"),
    "main": ("Methods", "All methods"),
    "methods": ("Methods", "Settings"),
    "per_task": ("Methods", "Task by task"),
    "examples": ("Methods", "Example by example"),
    "k_sweep": ("Controls", "Accuracy against K"),
    "random_init": ("Controls", "Recycled against random"),
    "contrasts": ("Controls", "Further comparisons"),
    "relevant_transfer": ("Transfer", "Relevant LoRAs"),
    "machine": ("Machine", "What jobs took"),
    **{name: VARIED[name] for name in varied_tables()},
    **({"released": ("Methods", "Released results")} if config["released"] else {}),
    **({"single_gains": ("Pool", "Single adapters")} if hub_scores() else {}),
}


rule tables:
    input:
        rules.table_main.output,
        rules.table_per_task.output,
        rules.table_k_sweep.output,
        rules.table_relevant_transfer.output,
        rules.table_differences.output,
        rules.table_contrasts.output,
        rules.table_examples.output,
        rules.table_pool.output,
        rules.table_cost.output,
        rules.table_machine.output,
        rules.table_tasks.output,
        rules.table_methods.output,
        rules.claims.output,
        [f"{OUT}/tables/{name}.html" for name in PAGES],
