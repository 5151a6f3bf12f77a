"""Strict parsing of adapter_config.json: required options, and options that are rejected."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recycling.hub.reasons import Reject
from recycling.hub.settings import Screening

MAX_RANK = 65_536
# Options that do not change what the trained tensors mean.
HARMLESS_OPTIONS = frozenset(
    (
        *("peft_type", "task_type", "peft_version", "auto_mapping", "revision", "inference_mode"),
        *("base_model_name_or_path", "r", "lora_alpha", "lora_dropout", "use_rslora", "bias"),
        *("target_modules", "exclude_modules", "layers_to_transform", "layers_pattern"),
        *("rank_pattern", "alpha_pattern", "init_lora_weights", "runtime_config"),
        *("megatron_core", "qalora_group_size", "merge_weights"),
    )
)
# Options that do, unless off (null, false, empty): option -> reason of the rejection.
REJECTED_OPTIONS = {
    "use_dora": "dora",
    "lora_bias": "bias",
    "modules_to_save": "modules_to_save",
    "layer_replication": "layer_replication",
    "target_parameters": "target_parameters",
    "trainable_token_indices": "trainable_tokens",
    "loftq_config": "init_method",
    "eva_config": "init_method",
    "corda_config": "init_method",
    "lora_ga_config": "init_method",
    "fan_in_fan_out": "special_option",
    "enable_lora": "special_option",
    "megatron_config": "special_option",
    "use_qalora": "special_option",
    "use_bdlora": "special_option",
    "alora_invocation_tokens": "special_option",
    "arrow_config": "special_option",
    "velora_config": "special_option",
    "monteclora_config": "special_option",
    "kasa_config": "special_option",
    "ensure_weight_tying": "special_option",
}
# PEFT reads pattern keys as regular expressions; untrusted expressions are never run here.
MODULE_NAME = re.compile(r"\^?[\w.]{1,300}\$?", re.ASCII)
HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class LoraConfig:
    """The numbers of a plain LoRA's config.

    rank_pattern, alpha_pattern: module name, or the end of one -> rank, alpha.
    """

    rank: int
    alpha: float
    rslora: bool
    rank_pattern: Mapping[str, int]
    alpha_pattern: Mapping[str, float]

    def rank_of(self, module: str) -> int:
        """The rank that the config states for a module (as in PEFT: the first matching pattern)."""
        return _first_match(self.rank_pattern, module, self.rank)

    def alpha_of(self, module: str) -> float:
        """Alpha of a module."""
        return _first_match(self.alpha_pattern, module, self.alpha)

    def scaling(self, module: str, rank: int) -> float:
        """alpha / rank, or alpha / sqrt(rank) for rsLoRA (Kalajdzievski 2023).

        rank: that of the module's tensors.
        """
        return self.alpha_of(module) / (rank**0.5 if self.rslora else rank)


def parse_config(content: bytes, names: frozenset[str], settings: Screening) -> LoraConfig:
    """Parse a config strictly. names: the base and its aliases, as a config may spell them.

    Raises Reject with the first applicable reason, in the order of the vocabulary.
    """
    config = _json_object(content)
    if config.get("peft_type") != "LORA":
        raise Reject("not_lora", f"peft_type is {config.get('peft_type')!r}")
    if config.get("task_type") != "CAUSAL_LM":
        raise Reject("not_causal_lm", f"task_type is {config.get('task_type')!r}")
    _check_base(config.get("base_model_name_or_path"), names, settings)
    rank = _rank(config.get("r"), "r")
    alpha = _alpha(config.get("lora_alpha"), "lora_alpha")
    rslora = config.get("use_rslora") or False
    if not isinstance(rslora, bool):
        raise Reject("bad_option", f"use_rslora is {rslora!r}")
    _check_options(config, settings)
    ranks = _pattern(config.get("rank_pattern"), "rank_pattern")
    alphas = _pattern(config.get("alpha_pattern"), "alpha_pattern")
    if (ranks or alphas) and not settings.per_module_ranks:
        raise Reject("per_module_ranks", f"{len(ranks)} rank and {len(alphas)} alpha patterns")
    return LoraConfig(
        rank,
        alpha,
        rslora,
        {key: _rank(value, f"rank_pattern[{key}]") for key, value in ranks.items()},
        {key: _alpha(value, f"alpha_pattern[{key}]") for key, value in alphas.items()},
    )


def strict_json(text: str) -> Any:
    """Parse JSON. Raises ValueError for invalid JSON, repeated keys, NaN and infinities."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            raise ValueError("a key appears twice")
        return mapping

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not a JSON number")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        text = content.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise Reject("config_encoding", f"byte {error.start}: {error.reason}") from None
    if text.startswith("\ufeff"):
        raise Reject("config_encoding", "starts with a byte order mark")
    try:
        value = strict_json(text)
    except ValueError as error:
        raise Reject("config_malformed", str(error)) from None
    if not isinstance(value, dict):
        raise Reject("config_malformed", f"a JSON {type(value).__name__}, not an object")
    return value


def _check_base(base: Any, names: frozenset[str], settings: Screening) -> None:
    if isinstance(base, str) and base in names:
        return
    if isinstance(base, str) and HUB_NAME.fullmatch(base):
        raise Reject("other_base", f"base_model_name_or_path is {base!r}")
    if not settings.unstated_base:
        raise Reject("unstated_base", f"base_model_name_or_path is {base!r}")


def _check_options(config: Mapping[str, Any], settings: Screening) -> None:
    if config.get("bias") not in (None, "none"):
        raise Reject("bias", f"bias is {config['bias']!r}")
    for option, reason in REJECTED_OPTIONS.items():
        if config.get(option) not in (None, False, [], {}, "", 0):
            raise Reject(reason, f"{option} is {config[option]!r}")
    init = config.get("init_lora_weights", True)
    if not (isinstance(init, bool) or init in (None, "gaussian")):
        raise Reject("init_method", f"init_lora_weights is {init!r}")
    known = {*HARMLESS_OPTIONS, *REJECTED_OPTIONS, *settings.benign_options}
    for option in sorted(set(config) - known):
        # A newer PEFT writes its new options with their defaults, which are off.
        if config[option] not in (None, False, [], {}, ""):
            raise Reject("unknown_option", f"{option!r} is {config[option]!r}")


def _rank(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_RANK:
        raise Reject("bad_rank", f"{where} is {value!r}")
    return value


def _alpha(value: Any, where: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value < 1e9:
        raise Reject("bad_alpha", f"{where} is {value!r}")
    return float(value)


def _pattern(value: Any, where: str) -> dict[str, Any]:
    value = {} if value is None else value
    if not isinstance(value, dict):
        raise Reject("bad_option", f"{where} is {value!r}")
    for key in value:
        if not MODULE_NAME.fullmatch(key):
            raise Reject("unsupported_pattern", f"{where} has the key {key!r}")
    return value


def _first_match(pattern: Mapping[str, Any], module: str, default: Any) -> Any:
    for key, value in pattern.items():
        if re.match(rf"(.*\.)?({key})$", module):
            return value
    return default
