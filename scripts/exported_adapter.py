"""A merged model as an ordinary PEFT adapter, exact or compressed to a rank."""

from pathlib import Path
from typing import Any

from job import Job, run
from recycling.adapt.tuned import restore
from recycling.base import read_base
from recycling.errors import UserError
from recycling.files import read_tsv, write_json
from recycling.hub.summary import inherited
from recycling.jobs.batch import read_runs
from recycling.jobs.members import Member
from recycling.jobs.merge_members import members_of_job, opened
from recycling.jobs.recipes import method_of
from recycling.lora.export import save_adapter
from recycling.lora.lowrank import LowRank
from recycling.merge import merge_adapters
from recycling.store.store import Store


def main(job: Job) -> None:
    settings = job.params["settings"]
    wanted = settings["run"]
    store = Store(job.machine["store"])
    members = members_of_job(job.input, settings, store).of(wanted)
    (line,) = [
        line for line in read_runs(job.input.run) if {key: line[key] for key in wanted} == wanted
    ]
    adapters = opened(members, wanted, **settings["adapters"])
    if settings["kind"] == "adapt":
        folder = store.require(line["key"], "the run to be exported", job.input.run)
        deltas = restore(folder, adapters).deltas()
    else:
        method = method_of(settings, wanted)
        deltas = merge_adapters(settings["function"], adapters, method, wanted["seed"])
    factors, errors = {}, {}
    for module, delta in deltas:
        factors[module], errors[module] = factored(delta, settings["rank"])
    folder = Path(job.output.config).parent
    save_adapter(folder, factors, base_model=read_base(job.input.base)["repo"])
    facts = {
        "run": wanted,
        "accuracy": line["accuracy"],
        "adapters": [member.name for member in members],
        "rank": settings["rank"],
        "inherits": inherited(licences(job, members)),
        "relative_error": errors,
    }
    write_json(job.output.facts, facts)


def licences(job: Job, members: list[Member]) -> list[str]:
    """The licences of the pool adapters in a merge; LoRAs trained by the study have none."""
    known = {row["repo_id"]: row for path in job.input.pools for row in read_tsv(path)}
    rows = [known[member.name] for member in members if member.name in known]
    return [one for row in rows if "licence" in row for one in row["licence"].split(",")]


def factored(delta: Any, rank: int | None) -> tuple[LowRank, float]:
    """A delta as factors of at most `rank`, and the relative error that this costs."""
    if not isinstance(delta, LowRank):
        if rank is None:
            raise UserError("export: this method's delta has no exact factors; give it a rank")
        return LowRank.of_dense(delta, rank)
    return (delta, 0.0) if rank is None else delta.compress(rank)


if __name__ == "__main__":
    run(main)
