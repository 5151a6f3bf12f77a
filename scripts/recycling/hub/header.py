"""The header of a safetensors file: names, shapes and dtypes, without the weights.

The format (safetensors): 8 bytes little-endian length n, n bytes of JSON
{name: {dtype, shape, data_offsets}}, then the data without gaps.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from recycling.hub.config import LoraConfig, strict_json
from recycling.hub.reasons import Reject

FIRST_READ = 100_000
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
OTHER_BYTES = {"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1}
SIZES = BYTES | OTHER_BYTES | {"BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
POINTER = b"version https://git-lfs"
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
    """A module's A (rank, in) and B (out, rank), as the header tells."""

    rank: int
    shape: tuple[int, int]


def read_header(span: Callable[[int, int], bytes], size: int, limit: int) -> bytes:
    """The 8 length bytes and the header, by one ranged read, or two where it is long.

    span(start, stop) reads bytes of a file of `size` bytes. Where the length is none, or beyond
    `limit`, the first 200 bytes are returned for parse_header to judge.
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
    if header.startswith(POINTER):
        raise Reject("lfs_pointer", header.decode("utf-8", "replace"))
    length = int.from_bytes(header[:8], "little")
    if len(header) < 8 or length < 2:
        raise Reject("header_malformed", f"a file of {size} bytes that begins {header[:16]!r}")
    if len(header) < 8 + length:
        cut = header[8:9] == b"{" and size < 8 + length < 1 << 32
        reason = "truncated" if cut else "header_malformed"
        raise Reject(reason, f"claims a header of {length} bytes in a file of {size}")
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
            whole = all(type(n) is int and n >= 0 for n in (*shape, start, stop))
            fits = whole and stop - start == prod(shape) * SIZES[dtype]
        except (TypeError, KeyError, ValueError):
            fits = False
        if not fits:
            raise Reject("header_malformed", f"the entry of {name!r} contradicts itself")
        tensors[name] = Tensor(dtype, tuple(shape))
        spans.append((start, stop))
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise Reject("header_malformed", f"data with a gap or an overlap at byte {end}")
        end = stop
    if len(header) + end != size:
        raise Reject("truncated", f"{size} bytes, but the header promises {len(header) + end}")
    return tensors


def pairs_of(
    tensors: Mapping[str, Tensor], base: Mapping[str, tuple[int, int]], config: LoraConfig
) -> dict[str, Pair]:
    """The A/B pair of every module, checked against the base's (out, in) and the config's ranks.

    The set of modules is the tensors', whatever the config's target_modules say. Raises Reject.
    """
    if not tensors:
        raise Reject("no_tensors", "")
    factors: dict[str, dict[str, Tensor]] = {}
    for name in sorted(tensors):
        module, factor = _factor(name, base)
        if factor in factors.setdefault(module, {}):
            raise Reject("doubled_pairs", f"{module} has two tensors {factor}")
        factors[module][factor] = tensors[name]
    return {module: _pair(module, found, base, config) for module, found in factors.items()}


def _factor(name: str, base: Mapping[str, tuple[int, int]]) -> tuple[str, str]:
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
    found: Mapping[str, Tensor],
    base: Mapping[str, tuple[int, int]],
    config: LoraConfig,
) -> Pair:
    if len(found) < 2:
        raise Reject("incomplete_pairs", f"{module} has only {', '.join(found)}")
    A, B = found["A"], found["B"]
    for tensor in (A, B):
        if tensor.dtype not in BYTES:
            raise Reject("not_float", f"{module} is stored as {tensor.dtype}")
    if len(A.shape) != 2 or len(B.shape) != 2 or A.shape[0] != B.shape[1] or 0 in A.shape:
        raise Reject("wrong_shape", f"{module}: A {A.shape} and B {B.shape} are no pair")
    shape = (B.shape[0], A.shape[1])
    if shape != base[module]:
        raise Reject("wrong_shape", f"{module}: {shape}, the base has {base[module]}")
    claimed = config.rank_of(module)
    if A.shape[0] != claimed:
        raise Reject("rank_mismatch", f"{module}: tensors of rank {A.shape[0]}, config {claimed}")
    return Pair(A.shape[0], shape)
