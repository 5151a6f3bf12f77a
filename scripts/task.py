"""tasks/<task>/: splits, lm-eval task file and card, of one task or several."""

import sys
from pathlib import Path

from job import Job, listed, run_job
from recycling.hub.endpoint import hub_endpoint


def main(job: Job) -> None:
    with hub_endpoint(job.machine["hub"]):
        from recycling.base_model import load_tokenizer, read_base
        from recycling.tasks.prepare import prepare
        from recycling.tasks.spec import load_spec

        tokenizer = load_tokenizer(read_base(job.input.base))
        for spec, card in zip(listed(job.input.specs), listed(job.output.cards), strict=True):
            result = prepare(
                load_spec(spec),
                folder=Path(card).parent,
                tokenizer=tokenizer,
                **job.params["settings"],
            )
            print(f"{result['task']}: {result['sizes']}", file=sys.stderr)


if __name__ == "__main__":
    run_job(main, network=True)
