"""pool.tsv, rejected.tsv, adapters/: the screened candidates, each downloaded or with a reason."""

from pathlib import Path

from job import Job, run_job
from recycling.base_model import read_base
from recycling.hub.candidates import read_candidates
from recycling.hub.endpoint import hub_endpoint
from recycling.hub.manifest import write_pool
from recycling.hub.settings import Screening, network_of
from recycling.settings import parse


def main(job: Job) -> None:
    settings = job.params["settings"]
    folder = Path(job.output.pool).parent
    network = network_of(job.machine["hub"])
    base = read_base(job.input.base)
    with hub_endpoint(job.machine["hub"]) as endpoint:
        from recycling.hub.client import Client
        from recycling.hub.fetch import HubFiles, LocalFiles
        from recycling.hub.pool_builder import build_pool

        with Client(endpoint, network=network) as client:
            local = settings["source"] == "folder"
            kept, rejected = build_pool(
                read_candidates(job.input.candidates),
                {module: (shape[0], shape[1]) for module, shape in base["shapes"].items()},
                names=settings["names"],
                files=LocalFiles(settings["folder"]) if local else HubFiles(client),
                folder=folder,
                settings=parse(Screening, settings["screening"], "pool.screening"),
                workers=network.workers,
            )
    write_pool(folder, kept, rejected)


if __name__ == "__main__":
    run_job(main, network=True)
