# Names that the rules of tables, figures and the report use.
from recycling.study.differences import result_settings as settled
from recycling.study.plan import row_settings as essence, used_methods
from recycling.study.run import Run

path_of = STUDY.runs_file
hub_scores = lambda: STUDY.scores("hub")
evaluated_selections = STUDY.evaluated_selections
configured = STUDY.method_settings
drawn_run = STUDY.coefficients_run
fields = Run.to_json

# The tables of experiments that vary settings, with their place in the report.
VARIED = {
    "design": ("Design", "One choice at a time"),
    "lora_sweep": ("Methods", "The target LoRA's settings"),
    "capacity": ("Controls", "Recycled or mere capacity"),
}


def varied_tables():
    """Those of VARIED that the study has runs for."""
    asked = {"design": "design", "lora_sweep": "lora_sweep", "capacity": "random_basis"}
    return [name for name in VARIED if asked[name] in config["experiments"]]


def ablated_method():
    """The method that the ablations of the design start from; '' where there are none."""
    grids = config["experiments"].get("design")
    return grids[0]["methods"][0] if grids else ""


def figure(name, category, label):
    """The two files of a figure, both in the report."""
    return {
        kind: report(
            f"{OUT}/figures/{name}.{kind}",
            caption=f"../report/figure_{name}.rst",
            category=category,
            labels={"figure": label, "format": kind.upper()},
        )
        for kind in ("svg", "png")
    }
