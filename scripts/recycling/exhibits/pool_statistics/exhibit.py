"""Ranks, scalings, modules and licences of the pool, beside the paper's pool."""

from recycling.exhibits.exhibit import Exhibit

EXHIBIT = Exhibit(
    title="The pool beside the paper's",
    chapter="Pool",
    inputs=lambda study: {
        "pool": f"{study.out}/pool/pool.tsv",
        "paper": "resources/paper_pool.json",
    },
)
