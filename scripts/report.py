"""report.html: Snakemake's report of the study, in one file that opens offline."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from job import Job, run_job
from recycling.errors import UserError
from recycling.files import read_tsv


def main(job: Job) -> None:
    # The workflow that runs this script holds the lock; a report only reads.
    command = [sys.executable, "-m", "snakemake", "--report", job.output.report, "--nolock"]
    files = job.machine["invocation"]["configfiles"]
    command += ["--configfile", *files] if files else []
    given = job.machine["invocation"]["config"]
    command += ["--config", *(f"{k}={json.dumps(v)}" for k, v in given.items())] if given else []
    command += ["--report-stylesheet", job.input.style]
    with tempfile.TemporaryDirectory() as folder:
        # Only a report with such facts opens on its front page and not on the graph of rules.
        facts = Path(folder) / "facts.yaml"
        facts.write_text(json.dumps({"Runs": len(read_tsv(job.input.runs))}))
        command += ["--report-metadata", str(facts), "--", "figures", "tables"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise UserError(f"the report could not be made:\n{done.stdout[-4000:]}")


if __name__ == "__main__":
    run_job(main)
