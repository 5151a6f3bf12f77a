rule exported_adapter:
    input:
        unpack(lambda w: STUDY.export_inputs(w.name)),
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
            "orders": STUDY.export_orders(w.name).to_json(),
            "rank": config["export"][w.name]["rank"],
        },
        code=lambda w: STUDY.export_code(w.name),
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
