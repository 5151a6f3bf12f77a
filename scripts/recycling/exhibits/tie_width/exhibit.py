"""How many adapters tie where a selection by evaluation is cut."""

from recycling.exhibits.exhibit import Exhibit

EXHIBIT = Exhibit(
    title="Ties at the cut",
    chapter="Pool",
    inputs=lambda study: {"selections": study.evaluated_selections()},
    included=lambda study: bool(study.evaluated_selections()),
)
