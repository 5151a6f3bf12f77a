"""The study's methods in the paper's frame, with their settings."""

from recycling.exhibits.exhibit import Exhibit
from recycling.study.plan import used_methods

EXHIBIT = Exhibit(
    title="Settings",
    chapter="Methods",
    settings=lambda study: {
        "methods": used_methods(study.config),
        "experiments": study.config["experiments"],
    },
)
