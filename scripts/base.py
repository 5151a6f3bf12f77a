"""base.json: description of the base model, which is downloaded at one commit."""

from job import Job, run_job
from recycling.hub.endpoint import hub_endpoint


def main(job: Job) -> None:
    with hub_endpoint(job.machine["hub"]):
        from recycling.base_model import freeze
        from recycling.files import write_json

        write_json(job.output.base, freeze(**job.params["settings"]))


if __name__ == "__main__":
    run_job(main, network=True)
