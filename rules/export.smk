rule exported_adapter:
    input:
        unpack(lambda w: adapters_of(exported_batch(w))),
        run=lambda w: path_of(exported_batch(w)),
        base=f"{OUT}/base.json",
    output:
        config=f"{OUT}/export/{{name}}/adapter_config.json",
        weights=f"{OUT}/export/{{name}}/adapter_model.safetensors",
        facts=f"{OUT}/export/{{name}}/merge.json",
    log:
        f"{OUT}/logs/export/{{name}}.log",
    conda:
        "../envs/environment.yaml"
    params:
        settings=lambda w: {
            "kind": PLAN.kinds[exported_batch(w).method],
            "function": config["methods"][exported_batch(w).method]["function"],
            "method": config["methods"][exported_batch(w).method]["settings"],
            "adapters": config["methods"][exported_batch(w).method]["adapters"],
            "run": fields(
                canonical(run_of_export(config["export"][w.name]), PLAN.kinds)
            ),
            "rank": config["export"][w.name]["rank"],
            "draws": exported_batch(w).draws,
        },
        code=lambda w: code(
            "exported_adapter", *named_modules(exported_batch(w).method)
        ),
    script:
        "../scripts/exported_adapter.py"


# Merged models as ordinary PEFT adapters.
rule export:
    input:
        expand(
            f"{OUT}/export/{{name}}/{{file}}",
            name=config["export"],
            file=["adapter_config.json", "adapter_model.safetensors", "merge.json"],
        ),
