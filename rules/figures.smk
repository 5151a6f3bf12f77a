FIGURES = (
    "pool_funnel",
    "pool_statistics",
    "main",
    "per_task",
    "k_sweep",
    "relevant_transfer",
    "claims",
    "contrasts",
    "cost",
    *(["pool_scores", "single_gains", "tie_width"] if evaluated_selections() else []),
    *(["coefficients"] if DRAWN else []),
    *varied_tables(),
)


rule figure_pool_funnel:
    input:
        table=f"{OUT}/tables/pool_funnel.tsv",
    output:
        **figure("pool_funnel", "Pool", "What became of the candidates"),
    log:
        f"{OUT}/logs/figure_pool_funnel.log",
    conda:
        "../envs/environment.yaml"
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
    conda:
        "../envs/environment.yaml"
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
    conda:
        "../envs/environment.yaml"
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
    conda:
        "../envs/environment.yaml"
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
    conda:
        "../envs/environment.yaml"
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
    conda:
        "../envs/environment.yaml"
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
    conda:
        "../envs/environment.yaml"
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
    conda:
        "../envs/environment.yaml"
    params:
        code=code("figure_claims"),
    script:
        "../scripts/figure_claims.py"


rule figure_contrasts:
    input:
        table=f"{OUT}/tables/contrasts.tsv",
    output:
        **figure("contrasts", "Controls", "Further comparisons"),
    log:
        f"{OUT}/logs/figure_contrasts.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("figure_contrasts"),
    script:
        "../scripts/figure_contrasts.py"


rule figure_cost:
    input:
        table=f"{OUT}/tables/cost.tsv",
    output:
        **figure("cost", "Methods", "Cost against accuracy"),
    log:
        f"{OUT}/logs/figure_cost.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("figure_cost"),
    script:
        "../scripts/figure_cost.py"


rule figure_pool_scores:
    input:
        table=f"{OUT}/tables/pool_scores.tsv",
    output:
        **figure("pool_scores", "Pool", "Every adapter on every task"),
    log:
        f"{OUT}/logs/figure_pool_scores.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("figure_pool_scores"),
    script:
        "../scripts/figure_pool_scores.py"


rule figure_single_gains:
    input:
        table=f"{OUT}/tables/single_gains.tsv",
    output:
        **figure("single_gains", "Pool", "Single adapters"),
    log:
        f"{OUT}/logs/figure_single_gains.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("figure_single_gains"),
    script:
        "../scripts/figure_single_gains.py"


rule figure_tie_width:
    input:
        table=f"{OUT}/tables/tie_width.tsv",
    output:
        **figure("tie_width", "Pool", "Ties at the cut"),
    log:
        f"{OUT}/logs/figure_tie_width.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("figure_tie_width"),
    script:
        "../scripts/figure_tie_width.py"


rule figures:
    input:
        expand(f"{OUT}/figures/{{name}}.{{kind}}", name=FIGURES, kind=["svg", "png"]),
