"""What an HTTP error means: try again, give up on the repository, or stop."""

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx2
from huggingface_hub import errors
from huggingface_hub.utils import parse_ratelimit_headers

from recycling.hub.reasons import InvalidResponse, Outage, Reject

RETRIED = (408, 425, 429, 500, 502, 503, 504)
LONGEST_DELAY = 900.0
BAD_TOKEN = "Invalid credentials in Authorization header"


def retry_delay(error: BaseException, subject: str) -> float | None:
    """Seconds to wait before the next attempt, as the Hub requests; None where it names no time.

    Returns only for a temporary error. Raises Reject for an error that no further attempt can
    change, Outage for one that an immediate retry cannot fix, and `error` itself where it is a
    bug of this program. The whole chain of causes counts: clients report a timeout as "not found".
    `subject` names what was requested.
    """
    chain = list(_chain(error))
    for link in chain:
        if _is_temporary(link):
            return _requested_delay(link)
    for link in chain:
        reason = _permanent_reason(link)
        if reason:
            raise Reject(reason, f"{subject}: {_brief(link)}") from error
    for link in chain:
        if isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
            if link.response.headers.get("X-Error-Message") == BAD_TOKEN:
                raise Outage("HF_TOKEN: the Hub refuses this token; renew or unset it") from error
            raise Outage(
                f"{subject}: {_brief(link)}, which no Hub sends; check hub.endpoint and the proxy"
            ) from error
    raise error


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _is_temporary(link: BaseException) -> bool:
    if isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        return link.response.status_code in RETRIED
    # Examples: a maintenance page instead of JSON, a truncated body, a name that does not resolve.
    return isinstance(
        link, httpx2.RequestError | json.JSONDecodeError | UnicodeDecodeError | InvalidResponse
    )


def _permanent_reason(link: BaseException) -> str | None:
    if isinstance(link, errors.GatedRepoError):
        return "gated"
    if isinstance(link, errors.DisabledRepoError):
        return "disabled"
    not_found = (
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.RemoteEntryNotFoundError,
    )
    return "gone" if isinstance(link, not_found) else None


def _requested_delay(link: BaseException) -> float | None:
    """Seconds to wait: from Retry-After in either form, or from the Hub's rate limit header."""
    if not isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        return None
    headers = link.response.headers
    retry_after = headers.get("Retry-After", "").strip()
    limit = parse_ratelimit_headers(headers)
    if retry_after.isdigit():
        return min(float(retry_after), LONGEST_DELAY)
    if retry_after:
        with contextlib.suppress(ValueError):
            until = parsedate_to_datetime(retry_after)
            remaining = (until - datetime.now(until.tzinfo)).total_seconds()
            return min(max(remaining, 0.0), LONGEST_DELAY)
    if limit is not None and limit.remaining == 0:
        return min(float(limit.reset_in_seconds), LONGEST_DELAY)
    return None


def _brief(link: BaseException) -> str:
    if isinstance(link, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        code = link.response.headers.get("X-Error-Code", "")
        return f"HTTP {link.response.status_code} {code}".strip()
    return type(link).__name__


def brief(error: BaseException) -> str:
    """An error in one line, for a message: without addresses, headers or a token."""
    return ", from ".join(dict.fromkeys(_brief(link) for link in _chain(error)))
