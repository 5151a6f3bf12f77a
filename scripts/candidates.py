"""candidates.tsv: every adapter that may enter the pool, each frozen at one commit."""

from pathlib import Path

from job import Job, run_job
from recycling.hub.candidates import write_candidates
from recycling.hub.endpoint import hub_endpoint
from recycling.hub.settings import network_of


def main(job: Job) -> None:
    settings = job.params["settings"]
    with hub_endpoint(job.machine["hub"]) as endpoint:
        from recycling.hub.crawl import find_candidates

        candidates = find_candidates(
            settings["pool"],
            settings["base"],
            endpoint=endpoint,
            work=Path(job.output.candidates).parent,
            network=network_of(job.machine["hub"]),
        )
    write_candidates(job.output.candidates, candidates)


if __name__ == "__main__":
    run_job(main, network=True)
