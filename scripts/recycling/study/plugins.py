"""The selections and controls of a study: built in, or modules that its configuration names."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from recycling import plugins
from recycling.errors import did_you_mean
from recycling.pins import locked_pins
from recycling.store.code import code_hash
from recycling.study.choices import CONTROLS, SELECTIONS, SIMILARITIES
from recycling.study.signatures import METHODS, signature

Config = Mapping[str, Any]


def unknown(config: Config, section: str, name: str) -> str | None:
    """Why `name` is none of `section`, "selections" or "controls"; None where it is one."""
    built_in = SELECTIONS if section == "selections" else CONTROLS
    known = (*built_in, *config[section])
    rule, _, number = name.partition(":")
    if rule not in known:
        hint = did_you_mean(rule, known) or f"; it is none of {', '.join(known)}"
        return f"{name!r} is not defined in {section}{hint}"
    return f"{name!r}: only random takes a number" if number and rule != "random" else None


def needs(config: Config, selection: str) -> frozenset[str]:
    """What a selection looks at besides the pool's list: of `plugins.SELECTION.given`.

    "scores": the accuracy of every adapter on the task. "target": the target LoRA of the task and
    the run's seed. "adapters": the weights. "seed".
    """
    if selection in config["selections"]:
        function = config["selections"][selection]["function"]
        return signature(function, plugins.SELECTION).takes & {*plugins.SELECTION.given}
    if selection in SIMILARITIES:
        return frozenset({"adapters", "target"})
    return frozenset({"scores"} if selection == "evaluation" else ())


def method_files(config: Config, method: str) -> list[Path]:
    """The module that a method's script loads by name."""
    entry = config["methods"][method]
    if entry["kind"] not in METHODS:
        return []
    return [plugins.locate(entry["function"], METHODS[entry["kind"]].package)]


def own_selections(config: Config, names: Collection[str]) -> dict[str, Any]:
    """Those of these selections that the configuration defines: name -> {function, settings}."""
    return {name: config["selections"][name] for name in names if name in config["selections"]}


def selection_files(config: Config, names: Collection[str]) -> list[Path]:
    """What the script of selections loads by name for those that the configuration defines."""
    package, files = plugins.SELECTION.package, set()
    for name, plugin in own_selections(config, names).items():
        files.add(plugins.locate(plugin["function"], package))
        if needs(config, name) & {"adapters", "target"}:
            files.add(plugins.locate("weights", package))
    return sorted(files)


def own_controls(config: Config, names: Collection[str]) -> dict[str, Any]:
    """Those of these controls that the configuration defines: name -> {function, settings, code}.

    code: the hash of the module, so that an edit changes the runs of this control and no others.
    """
    return {
        name: {
            **config["controls"][name],
            "code": code_hash(
                plugins.locate(config["controls"][name]["function"], plugins.CONTROL.package),
                pins=locked_pins(),
            ),
        }
        for name in sorted({*names} & {*config["controls"]})
    }
