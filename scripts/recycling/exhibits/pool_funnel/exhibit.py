"""What became of the candidates, reason by reason."""

from recycling.exhibits.exhibit import Exhibit

EXHIBIT = Exhibit(
    title="From candidates to the pool",
    chapter="Pool",
    inputs=lambda study: {
        "pool": f"{study.out}/pool/pool.tsv",
        "rejected": f"{study.out}/pool/rejected.tsv",
    },
)
