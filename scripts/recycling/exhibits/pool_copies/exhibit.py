"""Repositories that hold the same weights as an earlier one."""

from recycling.exhibits.exhibit import Exhibit

EXHIBIT = Exhibit(
    title="Copies",
    chapter="Pool",
    inputs=lambda study: {
        "pool": f"{study.out}/pool/pool.tsv",
        "rejected": f"{study.out}/pool/rejected.tsv",
    },
)
