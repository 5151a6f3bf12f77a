"""Transfer from in-house LoRAs of the same tasks, against the number of best ones skipped."""

from job import Job, run
from recycling.analysis.paired import Settings
from recycling.analysis.reported import load_reported
from recycling.analysis.runs import load_runs
from recycling.analysis.sweep_pages import write_sweep_page
from recycling.analysis.sweep_tables import COLUMNS, sweep
from recycling.files import read_tsv, write_tsv


def main(job: Job) -> None:
    settings = Settings(**job.params["settings"]["statistics"])
    reported = load_reported(job.input.reported, job.params["settings"]["paper"])
    rows = sweep(load_runs(job.input.runs), reported, ("relevant_transfer",), "ours", settings)
    write_tsv(job.output.tsv, COLUMNS, rows)
    title = "Transfer from highly relevant LoRAs"
    write_sweep_page(job.output.markdown, title, read_tsv(job.output.tsv))


if __name__ == "__main__":
    run(main)
