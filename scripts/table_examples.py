"""The claims' comparisons example by example, from the runs' records in the store."""

import functools
from pathlib import Path

from job import Job, run
from recycling.analysis.examples_page import write_examples_page
from recycling.analysis.examples_table import COLUMNS, examples_table
from recycling.analysis.paired import Settings
from recycling.analysis.runs import load_runs
from recycling.errors import Outdated
from recycling.evaluate.records import read_records
from recycling.files import read_tsv, write_tsv
from recycling.jobs.batch import files_with
from recycling.store.store import Store


def main(job: Job) -> None:
    store = Store(job.machine["store"])

    @functools.cache
    def answers_of(key: str) -> dict[str, bool]:
        folder = store.get(key)
        if folder is None:
            keys = {row["key"] for row in read_tsv(job.input.runs)}
            gone = {key for key in keys if not store.folder(key).is_dir()}
            problem = f"{len(gone)} runs to be compared are gone from the store, or were damaged"
            raise Outdated(problem, *files_with(gone, Path(job.input.runs).parent / "runs"))
        return {record.id: record.correct for record in read_records(folder / "records.jsonl.gz")}

    settings = Settings(**job.params["settings"]["statistics"])
    rows = examples_table(load_runs(job.input.runs), answers_of, settings)
    write_tsv(job.output.tsv, COLUMNS, rows)
    write_examples_page(job.output.markdown, read_tsv(job.output.tsv))


if __name__ == "__main__":
    run(main)
