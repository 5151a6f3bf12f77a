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
include: "rules/results.smk"
include: "rules/exhibits.smk"
include: "rules/report.smk"
include: "rules/export.smk"
include: "rules/plan.smk"


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
