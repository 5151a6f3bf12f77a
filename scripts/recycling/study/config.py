"""The configuration of a study: defaults filled in, mistakes named by key."""

import ast
import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from recycling.errors import UserError

LIBRARY = Path(__file__).resolve().parents[1]
RESERVED = ("targets", "in_house", "export")
SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "config.schema.yaml"


def validated(config: Mapping[str, Any], schema: Path = SCHEMA) -> dict[str, Any]:
    """The configuration with every default of the schema filled in.

    UserError: one line that names the key, for an unknown key, a wrong type or value, a name
    that is not defined, or a combination that cannot be run.
    """
    rules = yaml.safe_load(schema.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(rules)
    error = jsonschema.exceptions.best_match(validator.iter_errors(config))
    if error is not None:
        raise UserError(f"config: {_in_words(error)}")
    full: dict[str, Any] = _with_defaults(config, rules, rules["$defs"])
    full["experiments"] = _asked(full["experiments"], full["only"])
    for problem in _problems(full):
        raise UserError(f"config: {problem}")
    return full


def _asked(experiments: Mapping[str, Any], only: list[str] | None) -> dict[str, Any]:
    """The experiments that the study asks."""
    for name in only or ():
        if name not in experiments:
            hint = _hint(name, experiments)
            raise UserError(f"config: only: {name!r} is not defined in experiments{hint}")
    return {name: experiments[name] for name in only or experiments}


def _in_words(error: Any) -> str:
    while error.context:
        # Of several alternatives, report the one that the value came closest to.
        error = min(
            error.context, key=lambda cause: (-len(cause.absolute_path), str(cause.message))
        )
    where = ".".join(str(part) for part in error.absolute_path)
    prefix = f"{where}: " if where else ""
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        extra = sorted(set(error.instance) - set(known), key=str)
        key = str(extra[0])
        hint = _hint(key, known) or f"; known keys: {', '.join(known)}"
        return f"{prefix}unknown key {key!r}{hint}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{prefix}{missing[0]!r} is missing"
    message = error.message if len(error.message) < 300 else error.message[:297] + "..."
    description = error.schema.get("description") if isinstance(error.schema, dict) else None
    return f"{prefix}{message}" + (f" ({description})" if description else "")


def _with_defaults(value: Any, schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Any:
    """A copy of `value` with the defaults of `schema`, at every depth."""
    if "$ref" in schema:
        schema = {**defs[schema["$ref"].rsplit("/", 1)[1]], **schema}
    if "anyOf" in schema and value is not None:
        schema = {**schema, **schema["anyOf"][0]}
        return _with_defaults(value, {k: v for k, v in schema.items() if k != "anyOf"}, defs)
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        other = schema.get("additionalProperties")
        filled = {
            key: _with_defaults(
                item, properties.get(key, other if isinstance(other, dict) else {}), defs
            )
            for key, item in value.items()
        }
        for key, rule in properties.items():
            if key not in filled and "default" in rule:
                filled[key] = _with_defaults(rule["default"], rule, defs)
        return filled
    if isinstance(value, list):
        return [_with_defaults(item, schema.get("items", {}), defs) for item in value]
    return value


def _problems(config: Mapping[str, Any]) -> Iterator[str]:
    """What a schema cannot say: names that must exist, combinations that cannot be run."""
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
    for name in all_tasks(config):
        if not (Path(config["tasks"]["folder"]) / f"{name}.yaml").is_file():
            yield f"tasks.names: no file {config['tasks']['folder']}/{name}.yaml for task {name!r}"
    unscored = set(config["scoring"]["splits"].split("+")) - set(config["scoring"]["evaluated"])
    if unscored:
        yield f"scoring.evaluated: selection looks at {min(unscored)}, so it must be scored"
    for name, method in methods.items():
        yield from _function_problems(name, method)
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


def _function_problems(name: str, method: Mapping[str, Any]) -> Iterator[str]:
    """Whether a method's file is there and is Python."""
    if method["kind"] not in ("merge", "adapt"):
        return
    file = LIBRARY / method["kind"] / f"{method['function']}.py"
    if not file.is_file():
        yield f"methods.{name}.function: no file {file}"
        return
    try:
        ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        yield f"methods.{name}.function: {file}:{error.lineno}: {error.msg}"


def _grid_problems(config: Mapping[str, Any], grid: Mapping[str, Any]) -> Iterator[str]:
    for method in grid["methods"]:
        if method not in config["methods"]:
            hint = _hint(method, config["methods"])
            yield f"methods: {method!r} is not defined in methods{hint}"
        elif grid["vary"] and config["methods"][method]["kind"] == "prompting":
            yield f"vary: {method!r} is prompting, which has no settings to vary"
    for task in grid["tasks"] or ():
        if task not in config["tasks"]["names"]:
            yield f"tasks: {task!r} is not in tasks.names"
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


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def in_house_tasks(config: Mapping[str, Any]) -> list[str]:
    """The tasks with an in-house LoRA, in the order of the configuration."""
    if not config["in_house"]:
        return []
    return list(config["in_house"]["tasks"] or config["tasks"]["names"])


def all_tasks(config: Mapping[str, Any]) -> list[str]:
    """Target tasks, then the tasks that only have an in-house LoRA."""
    return list(dict.fromkeys([*config["tasks"]["names"], *in_house_tasks(config)]))
