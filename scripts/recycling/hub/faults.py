"""Permanent errors told from passing ones."""

import json
from collections.abc import Iterator

import httpx2
from huggingface_hub import errors

from recycling.hub.reasons import Garbled, Outage, Reject

RETRIED = (408, 425, 429, 500, 502, 503, 504)
BAD_TOKEN = "Invalid credentials in Authorization header"


def judge(error: BaseException, what: str) -> float | None:
    """Say what an error means: return the seconds that the Hub asks to wait, or None.

    Returning at all means "try again". Raises Reject for what no further try can change, Outage
    for what trying again at once cannot mend, and the error itself where it is a fault of ours.
    The whole chain of causes counts, because clients wrap a timeout as "not found".
    """
    chain = list(_chain(error))
    for link in chain:
        if _passing(link):
            return _wait(link)
    for link in chain:
        reason = _permanent(link)
        if reason:
            raise Reject(reason, f"{what}: {_brief(link)}") from error
    for link in chain:
        if isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
            if link.response.headers.get("X-Error-Message") == BAD_TOKEN:
                raise Outage("HF_TOKEN: the Hub refuses this token; renew or unset it") from error
            raise Outage(f"{what}: {_brief(link)}; not an answer that a Hub gives") from error
    raise error


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _passing(link: BaseException) -> bool:
    if isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        return link.response.status_code in RETRIED
    # A maintenance page instead of JSON, a body cut short, a name that does not resolve now.
    return isinstance(
        link, httpx2.TransportError | json.JSONDecodeError | UnicodeDecodeError | Garbled
    )


def _permanent(link: BaseException) -> str | None:
    if isinstance(link, errors.GatedRepoError):
        return "gated"
    if isinstance(link, errors.DisabledRepoError):
        return "disabled"
    gone = (
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.RemoteEntryNotFoundError,
    )
    return "gone" if isinstance(link, gone) else None


def _wait(link: BaseException) -> float | None:
    if not isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        return None
    asked = link.response.headers.get("Retry-After", "").strip()
    return float(asked) if asked.isdigit() else None


def _brief(link: BaseException) -> str:
    if isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        code = link.response.headers.get("X-Error-Code", "")
        return f"HTTP {link.response.status_code} {code}".strip()
    return type(link).__name__


def brief(error: BaseException) -> str:
    """An error in one line, for a message: without addresses, headers or a token."""
    return ", from ".join(dict.fromkeys(_brief(link) for link in _chain(error)))
