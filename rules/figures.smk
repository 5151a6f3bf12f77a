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


DRAWN = drawn_run()
STATISTICS = {"statistics": config["claims"]}


FIGURES = (
    "pool_funnel",
    "pool_statistics",
    "main",
    "per_task",
    "k_sweep",
    "relevant_transfer",
    "claims",
    *(["coefficients"] if DRAWN else []),
)


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
    params:
        code=code("table_per_task"),
    script:
        "../scripts/table_per_task.py"


rule table_k_sweep:
    input:
        runs=f"{OUT}/runs.tsv",
    output:
        tsv=f"{OUT}/tables/k_sweep.tsv",
        markdown=f"{OUT}/tables/k_sweep.md",
        reinit_tsv=f"{OUT}/tables/random_init.tsv",
        reinit_markdown=f"{OUT}/tables/random_init.md",
    log:
        f"{OUT}/logs/table_k_sweep.log",
    params:
        settings=STATISTICS,
        code=code("table_k_sweep"),
    script:
        "../scripts/table_k_sweep.py"


rule table_relevant_transfer:
    input:
        runs=f"{OUT}/runs.tsv",
    output:
        tsv=f"{OUT}/tables/relevant_transfer.tsv",
        markdown=f"{OUT}/tables/relevant_transfer.md",
    log:
        f"{OUT}/logs/table_relevant_transfer.log",
    params:
        settings=STATISTICS,
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
    params:
        code=code("table_differences"),
    script:
        "../scripts/table_differences.py"


rule table_pool:
    input:
        pool=f"{OUT}/pool/pool.tsv",
        rejected=f"{OUT}/pool/rejected.tsv",
        paper="resources/paper_pool.json",
    output:
        funnel=f"{OUT}/tables/pool_funnel.tsv",
        statistics=f"{OUT}/tables/pool_statistics.tsv",
    log:
        f"{OUT}/logs/table_pool.log",
    params:
        code=code("table_pool"),
    script:
        "../scripts/table_pool.py"


rule table_coefficients:
    input:
        runs=[path_of(PLAN.batches[PLAN.owner[DRAWN]])] if DRAWN else [],
    output:
        tsv=f"{OUT}/tables/coefficients.tsv",
    log:
        f"{OUT}/logs/table_coefficients.log",
    params:
        settings={"run": fields(DRAWN) if DRAWN else None},
        code=code("table_coefficients"),
    script:
        "../scripts/table_coefficients.py"


rule claims:
    input:
        runs=f"{OUT}/runs.tsv",
        reported="resources/reported.tsv",
    output:
        claims=f"{OUT}/claims.json",
        page=f"{OUT}/tables/claims.md",
    log:
        f"{OUT}/logs/claims.log",
    params:
        settings={**STATISTICS, "paper": config["paper"]},
        code=code("claims"),
    script:
        "../scripts/claims.py"


rule figure_pool_funnel:
    input:
        table=f"{OUT}/tables/pool_funnel.tsv",
    output:
        **figure("pool_funnel", "Pool", "What became of the candidates"),
    log:
        f"{OUT}/logs/figure_pool_funnel.log",
    params:
        code=code("figure_pool_funnel"),
    script:
        "../scripts/figure_pool_funnel.py"


rule figure_pool_statistics:
    input:
        table=f"{OUT}/tables/pool_statistics.tsv",
    output:
        **figure("pool_statistics", "Pool", "The pool beside the paper's"),
    log:
        f"{OUT}/logs/figure_pool_statistics.log",
    params:
        code=code("figure_pool_statistics"),
    script:
        "../scripts/figure_pool_statistics.py"


rule figure_main:
    input:
        table=f"{OUT}/tables/main.tsv",
    output:
        **figure("main", "Methods", "All methods"),
    log:
        f"{OUT}/logs/figure_main.log",
    params:
        code=code("figure_main"),
    script:
        "../scripts/figure_main.py"


rule figure_per_task:
    input:
        table=f"{OUT}/tables/differences.tsv",
    output:
        **figure("per_task", "Methods", "Task by task"),
    log:
        f"{OUT}/logs/figure_per_task.log",
    params:
        code=code("figure_per_task"),
    script:
        "../scripts/figure_per_task.py"


rule figure_k_sweep:
    input:
        table=f"{OUT}/tables/k_sweep.tsv",
        differences=f"{OUT}/tables/random_init.tsv",
    output:
        **figure("k_sweep", "Controls", "Accuracy against K"),
    log:
        f"{OUT}/logs/figure_k_sweep.log",
    params:
        settings={"margin": config["claims"]["margin"]},
        code=code("figure_k_sweep"),
    script:
        "../scripts/figure_k_sweep.py"


rule figure_relevant_transfer:
    input:
        table=f"{OUT}/tables/relevant_transfer.tsv",
    output:
        **figure("relevant_transfer", "Transfer", "Relevant LoRAs"),
    log:
        f"{OUT}/logs/figure_relevant_transfer.log",
    params:
        code=code("figure_relevant_transfer"),
    script:
        "../scripts/figure_relevant_transfer.py"


rule figure_coefficients:
    input:
        table=f"{OUT}/tables/coefficients.tsv",
    output:
        **figure("coefficients", "Coefficients", "One merge"),
    log:
        f"{OUT}/logs/figure_coefficients.log",
    params:
        code=code("figure_coefficients"),
    script:
        "../scripts/figure_coefficients.py"


rule figure_claims:
    input:
        claims=f"{OUT}/claims.json",
    output:
        **figure("claims", "Claims", "The paper's claims"),
    log:
        f"{OUT}/logs/figure_claims.log",
    params:
        code=code("figure_claims"),
    script:
        "../scripts/figure_claims.py"


rule figures:
    input:
        [f"{OUT}/figures/{name}.svg" for name in FIGURES],


rule tables:
    input:
        rules.table_main.output,
        rules.table_per_task.output,
        rules.table_k_sweep.output,
        rules.table_relevant_transfer.output,
        rules.table_pool.output,
        rules.claims.output,


rule report:
    input:
        rules.figures.input,
        rules.tables.input,
    output:
        report=f"{OUT}/report.html",
    log:
        f"{OUT}/logs/report.log",
    params:
        settings={
            "configfiles": [os.path.relpath(path) for path in workflow.configfiles]
        },
        code=code("report"),
    script:
        "../scripts/report.py"
