"""The ablations of the design, one choice at a time."""

from collections.abc import Mapping
from typing import Any

from recycling.exhibits.exhibit import Exhibit, runs, statistics
from recycling.study.study import Study


def settings(study: Study) -> Mapping[str, Any]:
    """The method that the ablations start from is that of the experiment's first grid."""
    method = study.config["experiments"]["design"][0]["methods"][0]
    return {
        **statistics(study),
        "method": method,
        "method_settings": study.method_settings(method),
    }


EXHIBIT = Exhibit(
    title="One choice at a time",
    chapter="Design",
    inputs=runs,
    settings=settings,
    included=lambda study: study.has_experiment("design"),
)
