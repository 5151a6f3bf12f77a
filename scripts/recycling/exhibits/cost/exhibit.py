"""What a run of each method costs in time, beside its accuracy."""

from recycling.exhibits.exhibit import Exhibit, runs

EXHIBIT = Exhibit(
    title="Cost against accuracy",
    chapter="Methods",
    inputs=lambda study: {**runs(study), "main": f"{study.out}/tables/main.tsv"},
)
