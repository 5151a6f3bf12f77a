"""claims.json: the paper's claims, judged on this study's runs, and the same as a page."""

from job import Job, run
from recycling.analysis.claims import judge
from recycling.analysis.claims_page import write_claims_page
from recycling.analysis.paired import Settings
from recycling.analysis.reported import load_reported
from recycling.analysis.runs import load_runs
from recycling.files import write_json


def main(job: Job) -> None:
    settings = job.params["settings"]
    claims = judge(
        load_runs(job.input.runs),
        load_reported(job.input.reported, settings["paper"]),
        Settings(**settings["statistics"]),
    )
    write_json(job.output.claims, claims)
    write_claims_page(job.output.page, claims)
    for claim in claims:
        print(f"{claim['id']} {claim['verdict']}: {claim['reason']}")


if __name__ == "__main__":
    run(main)
