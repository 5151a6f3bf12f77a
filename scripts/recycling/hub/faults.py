"""Permanent errors told from passing ones."""

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx2
from huggingface_hub import errors
from huggingface_hub.utils import parse_ratelimit_headers

from recycling.hub.reasons import Garbled, Outage, Reject

RETRIED = (408, 425, 429, 500, 502, 503, 504)
LONGEST_WAIT = 900.0
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
        link, httpx2.RequestError | json.JSONDecodeError | UnicodeDecodeError | Garbled
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
    """Seconds that an answer asks to wait: Retry-After in either form, or the Hub's own header."""
    if not isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        return None
    headers = link.response.headers
    asked = headers.get("Retry-After", "").strip()
    limit = parse_ratelimit_headers(headers)
    if asked.isdigit():
        return min(float(asked), LONGEST_WAIT)
    if asked:
        with contextlib.suppress(ValueError):
            until = parsedate_to_datetime(asked)
            left = (until - datetime.now(until.tzinfo)).total_seconds()
            return min(max(left, 0.0), LONGEST_WAIT)
    if limit is not None and limit.remaining == 0:
        return min(float(limit.reset_in_seconds), LONGEST_WAIT)
    return None


def _brief(link: BaseException) -> str:
    if isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        code = link.response.headers.get("X-Error-Code", "")
        return f"HTTP {link.response.status_code} {code}".strip()
    return type(link).__name__


def brief(error: BaseException) -> str:
    """An error in one line, for a message: without addresses, headers or a token."""
    return ", from ".join(dict.fromkeys(_brief(link) for link in _chain(error)))
