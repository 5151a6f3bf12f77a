report: "../report/workflow.rst"


rule summary:
    input:
        claims=f"{OUT}/claims.json",
        runs=f"{OUT}/runs.tsv",
        base=f"{OUT}/base.json",
        pool=f"{OUT}/pool/pool.tsv",
        cards=STUDY.cards(),
        paper="config.yaml",
        reported="resources/reported.tsv",
        released="docs/differences.md",
    output:
        markdown=f"{OUT}/summary.md",
        html=f"{OUT}/summary.html",
    log:
        f"{OUT}/logs/summary.log",
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        settings={
            "study": result_settings(config),
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
        [
            exhibit.file("figure", ".rst")
            for exhibit in EXHIBITS.values()
            if exhibit.has("figure")
        ],
        [
            exhibit.file("page", ".rst")
            for exhibit in EXHIBITS.values()
            if exhibit.has("page")
        ],
        "report/figure.rst",
        "report/page.rst",
        "report/workflow.rst",
        rules.summary.output,
        runs=f"{OUT}/runs.tsv",
        style="report/style.css",
    output:
        report=f"{OUT}/report.html",
    log:
        f"{OUT}/logs/report.log",
    localrule: True
    conda:
        "../envs/environment.yaml"
    params:
        code=code("report"),
    script:
        "../scripts/report.py"
