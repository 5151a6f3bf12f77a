rule table_released:
    input:
        released=list((config["released"] or {}).values()),
        runs=f"{OUT}/runs.tsv",
        scores=hub_scores(),
    output:
        tsv=f"{OUT}/tables/released.tsv",
        markdown=f"{OUT}/tables/released.md",
    log:
        f"{OUT}/logs/table_released.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={
            "kinds": list(config["released"] or {}),
            "tasks": config["tasks"]["names"],
            "splits": config["scoring"]["splits"].split("+"),
        },
        code=code("table_released"),
    script:
        "../scripts/table_released.py"


rule page:
    input:
        markdown=f"{OUT}/tables/{{table}}.md",
    output:
        html=report(
            f"{OUT}/tables/{{table}}.html",
            caption="../report/table.rst",
            category=lambda w: PAGES[w.table][0],
            labels=lambda w: {"figure": PAGES[w.table][1], "format": "table"},
        ),
    log:
        f"{OUT}/logs/page_{{table}}.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("page"),
    script:
        "../scripts/page.py"


rule summary:
    input:
        claims=f"{OUT}/claims.json",
        runs=f"{OUT}/runs.tsv",
        base=f"{OUT}/base.json",
        pool=f"{OUT}/pool/pool.tsv",
        cards=expand(f"{OUT}/tasks/{{task}}/card.json", task=config["tasks"]["names"]),
        paper="config.yaml",
        reported="resources/reported.tsv",
        released="docs/differences.md",
    output:
        markdown=f"{OUT}/summary.md",
        html=f"{OUT}/summary.html",
    log:
        f"{OUT}/logs/summary.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings={
            "study": settled(config),
            # A study without a counterpart in the paper still says what the paper found.
            "paper": config["paper"] or "llama",
        },
        code=code("summary"),
    script:
        "../scripts/summary.py"


rule report:
    input:
        rules.figures.input,
        rules.tables.input,
        [f"report/figure_{name}.rst" for name in FIGURES],
        "report/table.rst",
        "report/workflow.rst",
        rules.summary.output,
        runs=f"{OUT}/runs.tsv",
        style="report/style.css",
    output:
        report=f"{OUT}/report.html",
    log:
        f"{OUT}/logs/report.log",
    conda:
        "../envs/environment.yaml"
    params:
        code=code("report"),
    script:
        "../scripts/report.py"
