"""Coefficients over random adapters, beside those over recycled ones."""

from recycling.exhibits.exhibit import Exhibit, runs, statistics

EXHIBIT = Exhibit(
    title="Recycled or mere capacity",
    chapter="Controls",
    inputs=runs,
    settings=lambda study: {
        **statistics(study),
        "method_settings": study.method_settings("random_basis"),
    },
    included=lambda study: study.has_experiment("random_basis"),
)
