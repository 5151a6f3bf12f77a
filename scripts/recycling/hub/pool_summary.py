"""What to check in a pool before merging it: licences, and adapters uploaded more than once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, str]
LICENCE_COLUMNS = ("licence", "adapters", "authors", "commercial", "terms")
COPY_COLUMNS = ("original", "copies", "repositories")
NO_LICENCE = "none given"
# Prefix of a Hub licence identifier -> commercial use, and terms that a merge inherits. The longest
# matching prefix counts. This points to what must be read; it is not legal advice.
TERMS = {
    "cc-by-nc-nd": ("no", "attribution; no derivatives, so no merging"),
    "cc-by-nc-sa": ("no", "attribution; non-commercial; the merge under the same licence"),
    "cc-by-nc": ("no", "attribution; non-commercial"),
    "cc-by-nd": ("yes", "attribution; no derivatives, so no merging"),
    "cc-by-sa": ("yes", "attribution; the merge under the same licence"),
    "cc-by": ("yes", "attribution"),
    "cc0": ("yes", ""),
    "unlicense": ("yes", ""),
    "wtfpl": ("yes", ""),
    "mit": ("yes", "attribution"),
    "apache-2.0": ("yes", "attribution; changes stated"),
    "bsd": ("yes", "attribution"),
    "isc": ("yes", "attribution"),
    "afl-3.0": ("yes", "attribution"),
    "artistic": ("yes", "attribution; changes stated"),
    "agpl": ("yes", "the merge under the same licence, also when served"),
    "lgpl": ("yes", "the merge under the same licence"),
    "gpl": ("yes", "the merge under the same licence"),
    "llama": ("limits", "the base's community licence: naming, use policy, user limit"),
    "gemma": ("limits", "use policy handed on"),
    "openrail": ("yes", "use restrictions handed on"),
    "bigscience-openrail": ("yes", "use restrictions handed on"),
    "creativeml-openrail": ("yes", "use restrictions handed on"),
    "bigcode-openrail": ("yes", "use restrictions handed on"),
    "bigscience-bloom-rail": ("yes", "use restrictions handed on"),
}
UNKNOWN = ("unclear", "own terms: read them at the repository")
NONE = ("unclear", "no licence: nothing is granted; ask the author")


def licence_summary(pool: Iterable[Row]) -> list[dict[str, Any]]:
    """One row per licence of the kept adapters, with what a merge inherits; most adapters first.

    An adapter under several licences counts for each. commercial: yes, limits, no or unclear.
    """
    repositories: dict[str, list[Row]] = defaultdict(list)
    for row in pool:
        for licence in row["licence"].split(",") if row["licence"] else [NO_LICENCE]:
            repositories[licence].append(row)
    rows = []
    for licence, members in repositories.items():
        commercial, terms = terms_of(licence)
        values = (licence, len(members), len({m["author"] for m in members}), commercial, terms)
        rows.append(dict(zip(LICENCE_COLUMNS, values, strict=True)))
    return sorted(rows, key=lambda row: (-row["adapters"], row["licence"]))


def terms_of(licence: str) -> tuple[str, str]:
    """Whether a licence allows commercial use, and which of its terms a merge inherits."""
    if licence in ("", NO_LICENCE, "unknown"):
        return NONE
    name = licence.lower()
    for prefix in sorted(TERMS, key=len, reverse=True):
        if name == prefix or (name.startswith(prefix) and not name[len(prefix)].isalpha()):
            return TERMS[prefix]
    return UNKNOWN


def inherited(licences: Sequence[str]) -> dict[str, Any]:
    """What a merge of adapters under these licences inherits: the strictest use, all terms."""
    pairs = [terms_of(licence) for licence in licences]
    strictest = min(
        (commercial for commercial, _ in pairs), key="no unclear limits yes".index, default="yes"
    )
    terms = sorted({term for _, text in pairs for term in text.split("; ") if term})
    return {"commercial": strictest, "terms": terms}


def copies(pool: Iterable[Row], rejected: Iterable[Row]) -> list[dict[str, Any]]:
    """Kept adapters that were uploaded more than once, with their copies; most copies first."""
    groups: dict[str, list[str]] = {row["repo_id"]: [] for row in pool}
    for row in rejected:
        if row["reason"] == "duplicate":
            groups.setdefault(row["detail"].rpartition(" ")[2], []).append(row["repo_id"])
    rows = [
        {"original": original, "copies": len(names), "repositories": " ".join(sorted(names))}
        for original, names in groups.items()
        if names
    ]
    return sorted(rows, key=lambda row: (-row["copies"], row["original"]))
