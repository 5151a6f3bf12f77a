"""Accuracy against K, recycled against randomly re-initialised LoRAs."""

from recycling.exhibits.exhibit import Exhibit, runs_and_reported, statistics_and_paper

EXHIBIT = Exhibit(
    title="Accuracy against K",
    chapter="Controls",
    inputs=runs_and_reported,
    settings=statistics_and_paper,
    figure_inputs=lambda study: {"differences": f"{study.out}/tables/random_init.tsv"},
    figure_settings=lambda study: {"margin": study.config["claims"]["margin"]},
)
