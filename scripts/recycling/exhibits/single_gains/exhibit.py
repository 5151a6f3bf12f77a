"""What single pool adapters add to the base, task by task."""

from recycling.exhibits.exhibit import Exhibit

EXHIBIT = Exhibit(
    title="Single adapters",
    chapter="Pool",
    inputs=lambda study: {"scores": study.scores("hub")},
    settings=lambda study: {
        "tasks": study.tasks,
        "splits": study.config["scoring"]["splits"].split("+"),
    },
    included=lambda study: bool(study.scores("hub")),
)
