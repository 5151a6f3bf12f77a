"""The first pass of the screening: the frozen listing, without any request."""

from recycling.hub.candidates import CONFIG, WEIGHTS, Candidate, File
from recycling.hub.reasons import Reject
from recycling.hub.settings import Screening

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


def screen_listing(candidate: Candidate, settings: Screening) -> Candidate:
    """Check a candidate by its row alone. Returns it, or raises Reject."""
    if candidate.repo_id in settings.exclude:
        raise Reject("excluded", "named in pool.screening.exclude")
    if candidate.state != "listed":
        raise Reject(candidate.state, f"the Hub's answer for {candidate.repo_id}")
    if not candidate.safe:
        raise Reject("unsafe_name", f"{candidate.repo_id} at {candidate.sha}")
    if candidate.private:
        raise Reject("private", "")
    config, weights = candidate.file(CONFIG), candidate.file(WEIGHTS)
    if weights is None:
        raise _without_weights(candidate)
    if config is None:
        raise Reject("no_config", _names(candidate))
    _check_size("config_size", config, settings.config_bytes)
    _check_size("weights_size", weights, settings.weights_bytes)
    for file in (config, weights):
        if not file.digest:
            raise Reject("no_hash", file.path)
    return candidate


def _without_weights(candidate: Candidate) -> Reject:
    paths = [file.path for file in candidate.files]
    top = [path for path in paths if "/" not in path and path.startswith("adapter_model")]
    if any("-of-" in path or path.endswith(".index.json") for path in top):
        return Reject("sharded", _names(candidate))
    if any(path.endswith(PICKLES) for path in top):
        return Reject("pickle_only", _names(candidate))
    if any(path.rsplit("/", 1)[-1].startswith("adapter_model") for path in paths):
        return Reject("in_subfolder", _names(candidate))
    if any(path.endswith(PICKLES) for path in paths):
        return Reject("pickle_only", _names(candidate))
    return Reject("no_weights", _names(candidate))


def _check_size(reason: str, file: File, limit: int) -> None:
    if file.size is None or not 0 < file.size <= limit:
        raise Reject(reason, f"{file.path} has {file.size} bytes; from 1 to {limit} are allowed")


def _names(candidate: Candidate) -> str:
    shown = ", ".join(file.path for file in candidate.files[:8])
    return f"{candidate.n_files} files: {shown}"
