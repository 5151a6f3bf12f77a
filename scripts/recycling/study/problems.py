"""Mistakes in a configuration that a schema cannot see."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from recycling.errors import UserError
from recycling.study.signatures import method_file, unknown_settings
from recycling.study.tasks import all_tasks, in_house_tasks
from recycling.study.variants import varied
from recycling.tasks.spec import load_spec

RESERVED = ("targets", "in_house", "export")
REPORTED = Path(__file__).resolve().parents[3] / "resources" / "reported.tsv"


def problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Each in words, its key first: names that must exist, combinations that cannot be run."""
    methods = config["methods"]
    loras = [name for name, method in methods.items() if method["kind"] == "lora"]
    if config["target_method"] not in loras:
        yield (
            f"target_method: {config['target_method']!r} is not a method of kind lora "
            f"(there are: {', '.join(loras) or 'none'})"
        )
    if config["in_house"] and config["in_house"]["method"] not in loras:
        yield f"in_house.method: {config['in_house']['method']!r} is not a method of kind lora"
    screening = config["pool"]["screening"]
    if screening["norm_above"] >= screening["norm_most"]:
        yield "pool.screening.norm_above: must be below pool.screening.norm_most"
    for source, key in (("repos", "repos"), ("folder", "folder"), ("frozen", "candidates")):
        if config["pool"]["source"] == source and not config["pool"][key]:
            yield f"pool.{key}: must be given because pool.source is {source!r}"
    yield from _task_problems(config)
    if config["tasks"]["n_validation"] == 0 and "validation" in config["scoring"]["evaluated"]:
        yield (
            "scoring.evaluated: tasks.n_validation is 0, so there is no validation split to score; "
            "say scoring: {evaluated: [train], splits: train}"
        )
    unscored = set(config["scoring"]["splits"].split("+")) - set(config["scoring"]["evaluated"])
    if unscored:
        yield f"scoring.evaluated: selection looks at {min(unscored)}, so it must be scored"
    for name, method in methods.items():
        yield from _method_problems(name, method)
    reported = {line.split("\t")[0] for line in REPORTED.read_text("utf-8").splitlines()[1:]}
    if config["paper"] is not None and config["paper"] not in reported:
        yield f"paper: {config['paper']!r} is none of {', '.join(sorted(reported))}, nor null"
    if config["study"] == "store":
        yield "study: 'store' is the folder that all studies share; choose another name"
    folder = config["pool"]["folder"]
    if config["pool"]["source"] == "folder" and folder and not Path(folder).is_dir():
        yield f"pool.folder: no folder {folder}"
    for experiment, grids in config["experiments"].items():
        if experiment in RESERVED:
            yield f"experiments.{experiment}: this name is taken by the plan; choose another"
        for number, grid in enumerate(grids):
            for problem in _grid_problems(config, grid):
                yield f"experiments.{experiment}.{number}.{problem}"
    for name, run in config["export"].items():
        if methods.get(run["method"], {"kind": None})["kind"] not in ("merge", "adapt"):
            yield f"export.{name}.method: {run['method']!r} is not a method of kind merge or adapt"
        if run["task"] not in config["tasks"]["names"]:
            yield f"export.{name}.task: {run['task']!r} is not in tasks.names"
        one = {key: [run[key]] for key in ("k", "skip", "target")}
        grid = {**one, "methods": [run["method"]], "tasks": [], "pool": run["pool"], "vary": {}}
        for problem in _grid_problems(config, grid):
            yield f"export.{name}.{problem}"


def _method_problems(name: str, method: Mapping[str, Any]) -> Iterator[str]:
    """Whether a method's file is there, is Python, and takes the settings."""
    file = method_file(method)
    if file is not None and not file.is_file():
        yield f"methods.{name}.function: no file {file}"
        return
    try:
        for problem in unknown_settings(method, method["settings"]):
            yield f"methods.{name}.{problem}"
    except SyntaxError as error:
        yield f"methods.{name}.function: {error.filename}:{error.lineno}: {error.msg}"


def _task_problems(config: Mapping[str, Any]) -> Iterator[str]:
    for name in all_tasks(config):
        path = Path(config["tasks"]["folder"]) / f"{name}.yaml"
        if not path.is_file():
            yield f"tasks.names: no file {path} for task {name!r}"
            continue
        try:
            load_spec(path)
        except UserError as error:
            yield f"tasks.names: {error}"


def _grid_problems(config: Mapping[str, Any], grid: Mapping[str, Any]) -> Iterator[str]:
    for method in grid["methods"]:
        if method not in config["methods"]:
            hint = did_you_mean(method, config["methods"])
            yield f"methods: {method!r} is not defined in methods{hint}"
        else:
            yield from _vary_problems(config["methods"][method], grid["vary"])
    for task in grid["tasks"] or ():
        if task not in config["tasks"]["names"]:
            yield f"tasks: {task!r} is not in tasks.names"
    known = [config["methods"][name] for name in grid["methods"] if name in config["methods"]]
    alone = (grid["k"], grid["target"]) == ([1], ["with"])
    if not alone and any(method.get("function") == "random_basis" for method in known):
        yield "k: random_basis draws its own adapters; it takes k: [1] and target: [with]"
    if any(method["kind"] in ("merge", "adapt") for method in known):
        yield from _pool_problems(config, grid)


def _pool_problems(config: Mapping[str, Any], grid: Mapping[str, Any]) -> Iterator[str]:
    """Whether the pool has as many adapters as a grid merges, where that is known beforehand."""
    folder = config["pool"]["folder"]
    if grid["pool"] == "hub" and config["pool"]["source"] == "folder" and Path(folder).is_dir():
        size = sum(path.is_dir() for path in Path(folder).iterdir())
        for k in grid["k"]:
            if k > size + ("without" not in grid["target"]):
                yield f"k: {k} is more than the {size} adapters in pool.folder, {folder}"
    if grid["pool"] == "in_house":
        if not config["in_house"]:
            yield "pool: in_house needs the section in_house"
            return
        size = len(in_house_tasks(config))
        for k in grid["k"]:
            for skip in grid["skip"]:
                needed = k + skip - ("without" not in grid["target"])
                if needed > size:
                    yield (
                        f"k: {k} with skip {skip} needs {needed} in-house LoRAs, "
                        f"but in_house has {size} tasks"
                    )


def _vary_problems(method: Mapping[str, Any], vary: Mapping[str, Any]) -> Iterator[str]:
    """Whether the method takes what is varied. What is wrong with its file is said above."""
    for path, values in vary.items():
        try:
            for value in values:
                for problem in unknown_settings(method, varied({}, {path: value})):
                    yield f"vary.{path}: {problem}"
        except SyntaxError:
            return


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion to add to a message; empty where no known name is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
