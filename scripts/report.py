"""report.html: Snakemake's report of the study, in one file that opens offline."""

import json
import subprocess
import sys

from job import Job, run
from recycling.errors import UserError


def main(job: Job) -> None:
    # The workflow that runs this script holds the lock; a report only reads.
    command = [sys.executable, "-m", "snakemake", "--report", job.output.report, "--nolock"]
    files = job.machine["asked"]["configfiles"]
    command += ["--configfile", *files] if files else []
    given = job.machine["asked"]["config"]
    command += ["--config", *(f"{k}={json.dumps(v)}" for k, v in given.items())] if given else []
    command += ["--", "figures", "tables"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise UserError(f"the report could not be made:\n{done.stdout[-4000:]}")


if __name__ == "__main__":
    run(main)
