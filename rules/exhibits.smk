# Every table, page and figure: one folder each in scripts/recycling/exhibits.
rule table:
    input:
        unpack(lambda w: EXHIBITS[w.name].inputs(STUDY)),
    output:
        tsv=f"{OUT}/tables/{{name}}.tsv",
    log:
        f"{OUT}/logs/tables/{{name}}.log",
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        exhibit=lambda w: EXHIBITS[w.name].file("table"),
        settings=lambda w: EXHIBITS[w.name].settings(STUDY),
        code=exhibit_code("table"),
    script:
        "../scripts/table.py"


rule page:
    input:
        data=lambda w: EXHIBITS[w.name].data_file(STUDY),
    output:
        markdown=f"{OUT}/tables/{{name}}.md",
        html=in_report("page", "tables/{name}", "html"),
        latex=f"{OUT}/tables/{{name}}.tex",
    log:
        f"{OUT}/logs/pages/{{name}}.log",
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        exhibit=lambda w: EXHIBITS[w.name].file("page"),
        code=exhibit_code("page"),
    script:
        "../scripts/page.py"


rule figure:
    input:
        unpack(lambda w: EXHIBITS[w.name].figure_inputs(STUDY)),
        data=lambda w: EXHIBITS[w.name].data_file(STUDY),
    output:
        svg=in_report("figure", "figures/{name}", "svg"),
        png=in_report("figure", "figures/{name}", "png"),
    log:
        f"{OUT}/logs/figures/{{name}}.log",
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        exhibit=lambda w: EXHIBITS[w.name].file("figure"),
        settings=lambda w: EXHIBITS[w.name].figure_settings(STUDY),
        code=exhibit_code("figure"),
    script:
        "../scripts/figure.py"


rule tables:
    input:
        f"{OUT}/claims.json",
        expand(f"{OUT}/tables/{{name}}.tsv", name=exhibits_with("table")),
        expand(f"{OUT}/tables/{{name}}.html", name=exhibits_with("page")),


rule figures:
    input:
        expand(
            f"{OUT}/figures/{{name}}.{{format}}",
            name=exhibits_with("figure"),
            format=["svg", "png"],
        ),
