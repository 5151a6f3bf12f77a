"""Result tables that the paper's authors released, beside this study's."""

from recycling.exhibits.exhibit import Exhibit, runs

EXHIBIT = Exhibit(
    title="Released results",
    chapter="Methods",
    inputs=lambda study: {
        **runs(study),
        "released": list(study.config["released"].values()),
        "scores": study.scores("hub"),
    },
    settings=lambda study: {
        "kinds": list(study.config["released"]),
        "tasks": study.tasks,
        "splits": study.config["scoring"]["splits"].split("+"),
    },
    included=lambda study: bool(study.config["released"]),
)
