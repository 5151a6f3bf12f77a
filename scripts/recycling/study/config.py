"""The configuration of a study: defaults filled in, mistakes named by key."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from recycling.errors import UserError, did_you_mean
from recycling.study.problems import problems

SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "config.schema.yaml"


def validated(config: Mapping[str, Any], schema: Path = SCHEMA) -> dict[str, Any]:
    """The configuration with every default of the schema filled in.

    UserError: one line that names the key, for an unknown key, a wrong type or value, a name
    that is not defined, or a combination that cannot be run.
    """
    validator = _validator(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(config))
    if error is not None:
        raise UserError(f"config: {_in_words(error)}")
    full: dict[str, Any] = _with_defaults(config, validator.schema, validator.schema["$defs"])
    full["experiments"] = _asked(full["experiments"], full["only"])
    for problem in problems(full):
        raise UserError(f"config: {problem}")
    return full


@functools.cache
def _validator(schema: Path) -> Any:
    return jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))


def _asked(experiments: Mapping[str, Any], only: list[str] | None) -> dict[str, Any]:
    """The experiments that the study asks."""
    for name in only or ():
        if name not in experiments:
            hint = did_you_mean(name, experiments)
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
        hint = did_you_mean(key, known) or f"; known keys: {', '.join(known)}"
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
