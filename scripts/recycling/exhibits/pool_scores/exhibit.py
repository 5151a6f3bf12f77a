"""The score of every pool adapter on every task, as selection by evaluation sees it."""

from recycling.exhibits.exhibit import Exhibit

EXHIBIT = Exhibit(
    title="Every adapter on every task",
    chapter="Pool",
    inputs=lambda study: {"selections": study.evaluated_selections()},
    included=lambda study: bool(study.evaluated_selections()),
)
