"""Accuracy against K, and recycled against randomly re-initialised LoRAs."""

from job import Job, run
from recycling.analysis.paired import Settings
from recycling.analysis.reported import load_reported
from recycling.analysis.runs import load_runs
from recycling.analysis.sweep_pages import write_reinit_page, write_sweep_page
from recycling.analysis.sweep_tables import (
    COLUMNS,
    REINIT_COLUMNS,
    recycled_minus_reinitialised,
    sweep,
)
from recycling.files import read_tsv, write_tsv

EXPERIMENTS = ("main", "k_sweep", "selection", "random_init")


def main(job: Job) -> None:
    settings = Settings(**job.params["settings"]["statistics"])
    runs = load_runs(job.input.runs)
    reported = load_reported(job.input.reported, job.params["settings"]["paper"])
    write_tsv(job.output.tsv, COLUMNS, sweep(runs, reported, EXPERIMENTS, "ours", settings))
    write_sweep_page(job.output.markdown, "Accuracy against K", read_tsv(job.output.tsv))
    rows = recycled_minus_reinitialised(runs, reported, EXPERIMENTS, "ours", settings)
    write_tsv(job.output.reinit_tsv, REINIT_COLUMNS, rows)
    write_reinit_page(job.output.reinit_markdown, read_tsv(job.output.reinit_tsv))


if __name__ == "__main__":
    run(main)
