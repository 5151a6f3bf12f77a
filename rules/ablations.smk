ABLATED = ablated_method()


rule table_design:
    input:
        runs=f"{OUT}/runs.tsv",
    output:
        tsv=f"{OUT}/tables/design.tsv",
        markdown=f"{OUT}/tables/design.md",
    log:
        f"{OUT}/logs/table_design.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={
            **STATISTICS,
            "method": ABLATED,
            "configured": configured(ABLATED),
        },
        code=code("table_design"),
    script:
        "../scripts/table_design.py"


rule table_lora_sweep:
    input:
        runs=f"{OUT}/runs.tsv",
    output:
        tsv=f"{OUT}/tables/lora_sweep.tsv",
        markdown=f"{OUT}/tables/lora_sweep.md",
    log:
        f"{OUT}/logs/table_lora_sweep.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={
            **STATISTICS,
            "configured": configured(config["target_method"]),
        },
        code=code("table_lora_sweep"),
    script:
        "../scripts/table_lora_sweep.py"


rule table_capacity:
    input:
        runs=f"{OUT}/runs.tsv",
    output:
        tsv=f"{OUT}/tables/capacity.tsv",
        markdown=f"{OUT}/tables/capacity.md",
    log:
        f"{OUT}/logs/table_capacity.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={
            **STATISTICS,
            "configured": configured("random_basis"),
        },
        code=code("table_capacity"),
    script:
        "../scripts/table_capacity.py"


rule figure_design:
    input:
        table=f"{OUT}/tables/design.tsv",
    output:
        **figure("design", "Design", "One choice at a time"),
    log:
        f"{OUT}/logs/figure_design.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("figure_design"),
    script:
        "../scripts/figure_design.py"


rule figure_lora_sweep:
    input:
        table=f"{OUT}/tables/lora_sweep.tsv",
    output:
        **figure("lora_sweep", "Methods", "The target LoRA's settings"),
    log:
        f"{OUT}/logs/figure_lora_sweep.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("figure_lora_sweep"),
    script:
        "../scripts/figure_lora_sweep.py"


rule figure_capacity:
    input:
        table=f"{OUT}/tables/capacity.tsv",
    output:
        **figure("capacity", "Controls", "Recycled or mere capacity"),
    log:
        f"{OUT}/logs/figure_capacity.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("figure_capacity"),
    script:
        "../scripts/figure_capacity.py"
