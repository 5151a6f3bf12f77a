import functools
import gc
import os
import sys

sys.path.insert(0, os.path.join(workflow.basedir, "scripts"))

from recycling.errors import UserError
from recycling.exhibits.exhibit import find_exhibits
from recycling.pins import read_pins
from recycling.store.code import code_hash
from recycling.study.config import validated
from recycling.study.tasks import all_tasks, in_house_tasks
from recycling.study.differences import settled
from recycling.study.plan import essence, make_plan, used_methods
from recycling.study.run import canonical, fields, run_of_export
from recycling.study.study import Study

# A DAG is made of very many objects that stay: to look through them often takes a tenth of the time.
gc.set_threshold(200_000, 20, 20)

try:
    config.update(validated(config))
except UserError as error:
    sys.exit(f"error: {error}")

# How the study was asked for: the report starts a Snakemake of its own.
config["asked"] = {
    "configfiles": [
        os.path.relpath(path) for path in workflow.config_settings.configfiles
    ],
    "config": dict(workflow.config_settings.config or {}),
}
PLAN = make_plan(config)
STUDY = Study(config, PLAN)
OUT = os.path.join(config["results"], config["study"])
PINS = read_pins(
    os.path.join(workflow.basedir, "envs", name)
    for name in ("requirements.lock", "torch.txt")
)
BENCH = {
    "dtype": config["base"]["dtype"],
    "max_length": config["tasks"]["max_prompt_tokens"] + 512,
}


@functools.cache
def code(script, *loaded_by_name):
    """The hash of the code that a script runs, with the modules that it loads by name."""
    return code_hash(f"{script}.py", *loaded_by_name, pins=PINS)


def batch(wildcards):
    return PLAN.batches[wildcards.experiment, wildcards.method, wildcards.part]


def path_of(one):
    return f"{OUT}/runs/{one.experiment}/{one.method}/{one.part}.jsonl"


def paths_of(experiment):
    """The files that hold the runs of an experiment; none if the study does not have it."""
    return [path_of(one) for one in PLAN.of(experiment)]


def methods_of(kind):
    """The methods of a kind, as a regular expression for the wildcard `method`."""
    names = [
        name for name, method in config["methods"].items() if method["kind"] == kind
    ]
    return "|".join(names) or "(?!)"


def folder_of(pool):
    """The folder of a pool below the study's results."""
    return {"hub": "pool", "in_house": "in_house"}[pool]


def settings_of(one):
    """The settings of a batch of runs, as one param."""
    method = config["methods"][one.method]
    return {
        "function": method.get("function", ""),
        "method": method["settings"],
        "adapters": method["adapters"],
        "runs": [fields(run) for run in one.runs],
        "draws": one.draws,
        "bench": BENCH,
    }


def batch_settings(wildcards):
    return settings_of(batch(wildcards))


def named_modules(method):
    """The modules that a method's script loads by name."""
    kind = config["methods"][method]["kind"]
    if kind not in ("merge", "adapt"):
        return []
    return [f"recycling/{kind}/{config['methods'][method]['function']}.py"]


wildcard_constraints:
    task="[A-Za-z0-9_-]+",
    part="[A-Za-z0-9_.-]+",
    experiment="[a-z][a-z0-9_]*",
    pool="hub|in_house",
