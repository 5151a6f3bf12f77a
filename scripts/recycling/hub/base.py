"""The base model's linear modules and their shapes, from the headers of its own weights."""

import json
from functools import partial
from pathlib import Path

from recycling.errors import UserError
from recycling.files import canonical_json
from recycling.hub.client import Client
from recycling.hub.evidence import Evidence
from recycling.hub.header import linear_shapes, parse_header, read_header
from recycling.hub.reasons import Reject

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
LARGEST_INDEX, LARGEST_HEADER = 50_000_000, 50_000_000


def base_shapes(
    client: Client, base: str, revision: str, evidence: Evidence
) -> dict[str, tuple[int, int]]:
    """(out, in) of the linear modules of a base model on the Hub; no weights are downloaded.

    revision: a branch or sha; what it said is kept in `evidence`. UserError where the base is
    gone, gated or not in safetensors.
    """
    key = f"{base}@{revision}#shapes"
    kept = evidence.get(key)
    if kept is None:
        try:
            shapes = _asked(client, base, revision)
        except Reject as reject:
            raise UserError(
                f"base.name: {base} at {revision}: {reject.reason} ({reject.detail}); "
                "check the name, the revision and HF_TOKEN"
            ) from None
        kept = evidence.put(key, canonical_json(shapes).encode())
    return {module: (out, in_) for module, (out, in_) in json.loads(kept).items()}


def _asked(client: Client, base: str, revision: str) -> dict[str, tuple[int, int]]:
    info = client.ask(
        base, lambda: client.api.model_info(base, revision=revision, files_metadata=True)
    )
    sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or ()}

    def read(path: str, start: int, stop: int) -> bytes:
        sha = str(info.sha)
        return client.ask(f"{base} {path}", lambda: client.read(base, sha, path, start, stop))

    shards = [SINGLE]
    if SINGLE not in sizes:
        if not 0 < sizes.get(INDEX, 0) <= LARGEST_INDEX:
            raise UserError(f"base.name: {base} has no safetensors weights")
        shards = sorted(set(json.loads(read(INDEX, 0, sizes[INDEX]))["weight_map"].values()))
    shapes: dict[str, tuple[int, int]] = {}
    for shard in shards:
        header = read_header(partial(read, shard), sizes[shard], LARGEST_HEADER)
        shapes |= linear_shapes(parse_header(header, sizes[shard]))
    return shapes


def base_shapes_of_folder(folder: str | Path) -> dict[str, tuple[int, int]]:
    """The same from a folder with the base's *.safetensors files."""
    shapes: dict[str, tuple[int, int]] = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        header = read_header(partial(_span, path), path.stat().st_size, LARGEST_HEADER)
        shapes |= linear_shapes(parse_header(header, path.stat().st_size))
    if not shapes:
        raise UserError(f"base.name: {folder} has no safetensors weights")
    return dict(sorted(shapes.items()))


def _span(path: Path, start: int, stop: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(stop - start)
