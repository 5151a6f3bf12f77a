"""A task's folder: its splits, its lm-eval task file and its card."""

from pathlib import Path

from job import Job, run
from recycling.hub.endpoint import serving


def main(job: Job) -> None:
    with serving(job.machine["hub"]):
        from recycling.base import load_tokenizer, read_base
        from recycling.tasks.prepare import prepare
        from recycling.tasks.spec import load_spec

        prepare(
            load_spec(job.input.spec),
            folder=Path(job.output.card).parent,
            tokenizer=load_tokenizer(read_base(job.input.base)),
            **job.params["settings"],
        )


if __name__ == "__main__":
    run(main)
