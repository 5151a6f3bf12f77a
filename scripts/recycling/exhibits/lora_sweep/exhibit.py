"""The search over the target LoRA's hyper-parameters."""

from recycling.exhibits.exhibit import Exhibit, runs, statistics

EXHIBIT = Exhibit(
    title="The target LoRA's settings",
    chapter="Methods",
    inputs=runs,
    settings=lambda study: {
        **statistics(study),
        "method_settings": study.method_settings(study.config["target_method"]),
    },
    included=lambda study: study.has_experiment("lora_sweep"),
)
