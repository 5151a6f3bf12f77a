"""The header of a safetensors file: names, shapes and dtypes, without the weights.

Format of a safetensors file: 8 bytes little-endian length n, n bytes of JSON
{name: {dtype, shape, data_offsets}}, then the data without gaps.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from recycling.hub.adapter_config import LoraConfig, strict_json
from recycling.hub.reasons import Reject

FIRST_READ = 100_000
FLOAT_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
INTEGER_BYTES = {"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1}
DTYPE_BYTES = FLOAT_BYTES | INTEGER_BYTES | {"BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
LFS_POINTER = b"version https://git-lfs"
PREFIX = "base_model.model."
FACTOR = re.compile(r"(?P<module>.+)\.lora_(?P<factor>[AB])(?:\.default)?\.weight")
NOT_LINEAR = re.compile(
    r"(?:^|\.)(?:embed_tokens|lm_head|wte|embed_out|lora_embedding_[AB])(?:\.|$)"
)


@dataclass(frozen=True)
class Tensor:
    """One entry of a header."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Pair:
    """A module's A (rank, in) and B (out, rank), from the header. shape: (out, in)."""

    rank: int
    shape: tuple[int, int]


def read_header(span: Callable[[int, int], bytes], size: int, limit: int) -> bytes:
    """The 8 length bytes and the header, in one ranged read, or two if the header is long.

    span(start, stop) reads bytes of a file of `size` bytes. If the length is missing or over
    `limit`, the first 200 bytes are returned, which `parse_header` rejects.
    """
    first = span(0, min(size, FIRST_READ))
    stop = 8 + int.from_bytes(first[:8], "little")
    if len(first) < 8 or stop > min(size, 8 + limit):
        return first[:200]
    if len(first) < stop:
        first += span(len(first), stop)
    return first[:stop]


def parse_header(header: bytes, size: int) -> dict[str, Tensor]:
    """Tensors by name, from the bytes of `read_header` and the size of the file. Raises Reject."""
    if header.startswith(LFS_POINTER):
        raise Reject("lfs_pointer", header.decode("utf-8", "replace"))
    length = int.from_bytes(header[:8], "little")
    if len(header) < 8 or length < 2:
        raise Reject("header_malformed", f"a file of {size} bytes that starts with {header[:16]!r}")
    if len(header) < 8 + length:
        plausible = header[8:9] == b"{" and size < 8 + length < 1 << 32
        reason = "truncated" if plausible else "header_malformed"
        raise Reject(reason, f"states a header of {length} bytes in a file of {size}")
    try:
        entries = strict_json(header[8:].decode("utf-8", "strict"))
    except ValueError as error:
        raise Reject("header_malformed", str(error)) from None
    if not isinstance(entries, dict):
        raise Reject("header_malformed", "the header is not an object")
    entries.pop("__metadata__", None)
    tensors, spans = {}, []
    for name, entry in entries.items():
        try:
            dtype, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
            valid = all(type(n) is int and n >= 0 for n in (*shape, start, stop))
            consistent = valid and stop - start == prod(shape) * DTYPE_BYTES[dtype]
        except (TypeError, KeyError, ValueError):
            consistent = False
        if not consistent:
            raise Reject("header_malformed", f"the entry of {name!r} is inconsistent")
        tensors[name] = Tensor(dtype, tuple(shape))
        spans.append((start, stop))
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise Reject("header_malformed", f"the data has a gap or an overlap at byte {end}")
        end = stop
    if len(header) + end != size:
        raise Reject("truncated", f"{size} bytes; the header implies {len(header) + end}")
    return tensors


def pairs_of(
    tensors: Mapping[str, Tensor], base: Mapping[str, tuple[int, int]], config: LoraConfig
) -> dict[str, Pair]:
    """The A/B pair of every module, checked against the base's (out, in) and the config's ranks.

    The tensors determine the set of modules; target_modules of the config is ignored. Raises
    Reject.
    """
    if not tensors:
        raise Reject("no_tensors", "")
    factors: dict[str, dict[str, Tensor]] = {}
    for name in sorted(tensors):
        module, factor = _module_and_factor(name, base)
        if factor in factors.setdefault(module, {}):
            raise Reject("doubled_pairs", f"{module} has two tensors {factor}")
        factors[module][factor] = tensors[name]
    return {module: _pair(module, by_factor, base, config) for module, by_factor in factors.items()}


def _module_and_factor(name: str, base: Mapping[str, tuple[int, int]]) -> tuple[str, str]:
    """The module and factor ("A" or "B") of a tensor name. Raises Reject."""
    bare = name.removeprefix(PREFIX)
    match = FACTOR.fullmatch(bare)
    module = match["module"] if match else ""
    if match and bare != name and module in base:
        return module, match["factor"]
    if NOT_LINEAR.search(bare):
        raise Reject("embedding_or_head", name)
    if "magnitude_vector" in name:
        raise Reject("dora", name)
    if bare.endswith(".bias"):
        raise Reject("bias", name)
    if not match:
        raise Reject("unknown_tensor", name)
    if bare == name or any(f".{module}".endswith(f".{known}") for known in base):
        raise Reject("key_prefix", name)
    raise Reject("unknown_module", name)


def _pair(
    module: str,
    factors: Mapping[str, Tensor],
    base: Mapping[str, tuple[int, int]],
    config: LoraConfig,
) -> Pair:
    if len(factors) < 2:
        raise Reject("incomplete_pairs", f"{module} has only {', '.join(factors)}")
    A, B = factors["A"], factors["B"]
    for tensor in (A, B):
        if tensor.dtype not in FLOAT_BYTES:
            raise Reject("not_float", f"{module} is stored as {tensor.dtype}")
    if len(A.shape) != 2 or len(B.shape) != 2 or A.shape[0] != B.shape[1] or 0 in A.shape:
        raise Reject("wrong_shape", f"{module}: A {A.shape} and B {B.shape} do not match")
    shape = (B.shape[0], A.shape[1])
    if shape != base[module]:
        raise Reject("wrong_shape", f"{module}: {shape}, the base has {base[module]}")
    config_rank = config.rank_of(module)
    if A.shape[0] != config_rank:
        detail = f"{module}: tensors of rank {A.shape[0]}, config {config_rank}"
        raise Reject("rank_mismatch", detail)
    return Pair(A.shape[0], shape)
