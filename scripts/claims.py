"""claims.json: the paper's claims, judged on this study's runs."""

from job import Job, run_job
from recycling.analysis.claims import judge
from recycling.exhibits.inputs import load_comparison
from recycling.exhibits.source import Source
from recycling.files import write_json


def main(job: Job) -> None:
    source = Source(vars(job.input), job.params["settings"], job.machine["store"])
    claims = judge(*load_comparison(source))
    write_json(job.output.claims, claims)
    for claim in claims:
        print(f"{claim['id']} {claim['verdict']}: {claim['reason']}")


if __name__ == "__main__":
    run_job(main)
