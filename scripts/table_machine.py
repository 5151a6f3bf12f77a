"""What the study's jobs took of their machines, by rule."""

from pathlib import Path

from job import Job, run
from recycling.analysis.machine_table import COLUMNS, machine_table, write_machine_page
from recycling.files import read_json, read_tsv, write_tsv
from recycling.usage import USE


def main(job: Job) -> None:
    logs = Path(job.input.runs).parent / "logs"
    rows = machine_table(read_json(path) for path in sorted(logs.rglob(f"*{USE}")))
    write_tsv(job.output.tsv, COLUMNS, rows)
    write_machine_page(job.output.markdown, read_tsv(job.output.tsv))


if __name__ == "__main__":
    run(main)
