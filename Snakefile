from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/pool.smk"
include: "rules/tasks.smk"
include: "rules/baselines.smk"
include: "rules/selection.smk"
include: "rules/merging.smk"
include: "rules/controls.smk"
include: "rules/transfer.smk"
include: "rules/pool_tables.smk"
include: "rules/tables.smk"
include: "rules/ablations.smk"
include: "rules/figures.smk"
include: "rules/report.smk"
include: "rules/export.smk"
include: "rules/plan.smk"


# On a cluster these run where snakemake does: they need the internet, or next to nothing.
localrules:
    base,
    candidates,
    pool,
    task,
    in_house,
    selections,
    runs,
    table_main,
    table_per_task,
    table_k_sweep,
    table_relevant_transfer,
    table_differences,
    table_pool,
    table_coefficients,
    table_contrasts,
    table_examples,
    table_cost,
    table_machine,
    table_selection,
    table_tasks,
    table_methods,
    table_released,
    table_design,
    table_lora_sweep,
    table_capacity,
    summary,
    table_single_gains,
    claims,
    page,
    figure_pool_funnel,
    figure_pool_statistics,
    figure_main,
    figure_per_task,
    figure_k_sweep,
    figure_relevant_transfer,
    figure_coefficients,
    figure_claims,
    figure_contrasts,
    figure_cost,
    figure_pool_scores,
    figure_single_gains,
    figure_design,
    figure_lora_sweep,
    figure_capacity,
    figure_tie_width,
    report,
    plan,


if config["world"]:

    include: "rules/world.smk"


rule all:
    default_target: True
    input:
        f"{OUT}/report.html",
        f"{OUT}/runs.tsv",
        rules.pool.output,
        rules.tables.input,
        rules.figures.input,
        rules.export.input,
        [path_of(one) for one in PLAN.batches.values()],
