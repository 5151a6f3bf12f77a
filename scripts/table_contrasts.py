"""Contrasts beyond the claims: controls, released behaviour, regularised LoRAs, fixed sets."""

from job import Job, run
from recycling.analysis.contrasts_page import write_contrasts_page
from recycling.analysis.contrasts_table import COLUMNS, contrasts_table
from recycling.analysis.paired import Settings
from recycling.analysis.reported import load_reported
from recycling.analysis.runs import load_runs
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    settings = Settings(**job.params["settings"]["statistics"])
    reported = load_reported(job.input.reported, job.params["settings"]["paper"])
    rows = contrasts_table(load_runs(job.input.runs), reported, settings)
    write_tsv(job.output.tsv, COLUMNS, rows)
    write_contrasts_page(job.output.markdown, read_tsv(job.output.tsv))


if __name__ == "__main__":
    run(main)
