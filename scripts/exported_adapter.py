"""A merged model as an ordinary PEFT adapter, exact or compressed to a rank."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from torch import Tensor

from job import Job, run_job
from recycling.adapt.tuned import restore
from recycling.base_model import read_base
from recycling.errors import UserError
from recycling.files import read_tsv, write_json
from recycling.hub.pool_summary import inherited
from recycling.jobs.batch import line_of
from recycling.jobs.merge_members import MergeMembers, load_adapters
from recycling.jobs.recipes import method_settings
from recycling.lora.export import save_adapter
from recycling.lora.lowrank import LowRank
from recycling.merge import merge_adapters
from recycling.store.store import Store
from recycling.study.orders import Draw, Orders


def main(job: Job) -> None:
    orders = Orders.from_json(job.params["settings"]["orders"])
    rank = job.params["settings"]["rank"]
    (run,) = orders.runs
    store = Store(job.machine["store"])
    members = MergeMembers(orders.draws, job.input.targets, store).of(run)
    line = line_of(run, job.input.run)
    adapters = load_adapters(members, run, orders.controls, **orders.adapters)
    deltas: Iterator[tuple[str, LowRank | Tensor]]
    if orders.kind == "adapt":
        folder = store.require(line["key"], "the run to be exported", job.input.run)
        deltas = restore(folder, adapters).deltas()
    else:
        settings = method_settings(orders, run)
        deltas = merge_adapters(orders.function, adapters, settings, run.seed)
    factors, errors = {}, {}
    for module, delta in deltas:
        factors[module], errors[module] = factored(delta, rank)
    folder = Path(job.output.config).parent
    save_adapter(folder, factors, base_model=read_base(job.input.base)["repo"])
    names = [member.name for member in members]
    facts = {
        "run": run.to_json(),
        "accuracy": line["accuracy"],
        "adapters": names,
        "rank": rank,
        "inherits": inherited(licences(orders.draws, names)),
        "relative_error": errors,
    }
    write_json(job.output.facts, facts)


def licences(draws: Iterable[Draw], names: Iterable[str]) -> list[str]:
    """The licences of the pool adapters among `names`; LoRAs trained by the study have none."""
    rows = {row["repo_id"]: row for draw in draws for row in read_tsv(draw.pool_file)}
    texts = [rows[name].get("licence") for name in names if name in rows]
    return [licence for text in texts if text is not None for licence in text.split(",")]


def factored(delta: LowRank | Tensor, rank: int | None) -> tuple[LowRank, float]:
    """A delta as factors of at most `rank`, and the relative error that this costs."""
    if not isinstance(delta, LowRank):
        if rank is None:
            raise UserError("export: this method's delta has no exact factors; give it a rank")
        return LowRank.of_dense(delta, rank)
    return (delta, 0.0) if rank is None else delta.compress(rank)


if __name__ == "__main__":
    run_job(main)
