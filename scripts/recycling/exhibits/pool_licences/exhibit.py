"""The licences of the adapters in the pool, and what a merge would inherit."""

from recycling.exhibits.exhibit import Exhibit

EXHIBIT = Exhibit(
    title="Licences",
    chapter="Pool",
    inputs=lambda study: {"pool": f"{study.out}/pool/pool.tsv"},
)
