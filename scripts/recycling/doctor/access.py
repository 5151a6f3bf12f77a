"""The base model: whether it can be had from the configured Hub with this user's token."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recycling.doctor import Finding
from recycling.hub.endpoint import hub_endpoint

FILE = "config.json"


def base(settings: Mapping[str, Any], hub: Mapping[str, Any]) -> Finding:
    """settings, hub: sections of the configuration. Asks for the head of one file."""
    repo, revision = settings["repo"], settings["revision"]
    if Path(repo).is_dir():
        if any(Path(repo).glob("*.safetensors")):
            return Finding("ok", f"the base lies in {repo}")
        return Finding("problem", f"{repo} has no *.safetensors file", "name a folder that has")
    with hub_endpoint(hub) as endpoint:
        return _asked(repo, revision, endpoint, hub["timeout"])


def _asked(repo: str, revision: str, endpoint: str, seconds: float) -> Finding:
    import httpx2
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    page = f"{endpoint}/{repo}"
    try:
        url = hf_hub_url(repo, FILE, revision=revision, endpoint=endpoint)
        found = get_hf_file_metadata(url, timeout=seconds, endpoint=endpoint)
    except GatedRepoError:
        cure = f"accept its licence at {page} and set HF_TOKEN to a token of that account"
        return Finding("problem", f"{repo} is gated, and this token has no access", cure)
    except RevisionNotFoundError:
        return Finding("problem", f"{repo} has no revision {revision}", "correct base.revision")
    except RepositoryNotFoundError:
        cure = "correct base.repo, or set HF_TOKEN where it is private"
        return Finding("problem", f"{endpoint} knows no model {repo}", cure)
    except (HfHubHTTPError, OfflineModeIsEnabled, httpx2.HTTPError, OSError) as error:
        if isinstance(try_to_load_from_cache(repo, FILE, revision=revision), str):
            return Finding("warning", f"{endpoint} does not answer", f"{repo} is in the cache")
        why = " ".join(str(error).split())[:200]
        cure = "start on a machine with internet access, or set hub.endpoint to a mirror"
        return Finding("problem", f"{endpoint} does not answer ({why})", cure)
    return Finding("ok", f"{repo} can be had at {(found.commit_hash or revision)[:12]}")
