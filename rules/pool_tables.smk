rule table_pool:
    input:
        pool=f"{OUT}/pool/pool.tsv",
        rejected=f"{OUT}/pool/rejected.tsv",
        paper="resources/paper_pool.json",
    output:
        funnel=f"{OUT}/tables/pool_funnel.tsv",
        licences=f"{OUT}/tables/pool_licences.tsv",
        copies=f"{OUT}/tables/pool_copies.tsv",
        statistics=f"{OUT}/tables/pool_statistics.tsv",
    log:
        f"{OUT}/logs/table_pool.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("table_pool"),
    script:
        "../scripts/table_pool.py"


rule table_selection:
    input:
        selections=evaluated_selections(),
    output:
        scores=f"{OUT}/tables/pool_scores.tsv",
        ties=f"{OUT}/tables/tie_width.tsv",
    log:
        f"{OUT}/logs/table_selection.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("table_selection"),
    script:
        "../scripts/table_selection.py"


rule table_single_gains:
    input:
        scores=hub_scores(),
    output:
        tsv=f"{OUT}/tables/single_gains.tsv",
        markdown=f"{OUT}/tables/single_gains.md",
    log:
        f"{OUT}/logs/table_single_gains.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={
            "tasks": config["tasks"]["names"],
            "splits": config["scoring"]["splits"].split("+"),
        },
        code=code("table_single_gains"),
    script:
        "../scripts/table_single_gains.py"
