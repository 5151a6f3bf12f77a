"""The tuned coefficients of one merge: adapters by modules."""

from collections.abc import Mapping
from typing import Any

from recycling.exhibits.exhibit import Exhibit, Files
from recycling.study.study import Study


def inputs(study: Study) -> Files:
    run = study.coefficients_run()
    return {"runs": study.runs_file(study.plan.batch_of(run))} if run else {}


def settings(study: Study) -> Mapping[str, Any]:
    run = study.coefficients_run()
    return {"run": run.to_json()} if run else {}


EXHIBIT = Exhibit(
    title="One merge",
    chapter="Coefficients",
    inputs=inputs,
    settings=settings,
    included=lambda study: study.coefficients_run() is not None,
)
