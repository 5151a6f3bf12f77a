"""Requests to the Hub, each with a time limit, a size limit and a bounded number of attempts."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import huggingface_hub
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status
from huggingface_hub.utils._http import default_client_factory

from recycling.hub.endpoint import is_loopback
from recycling.hub.http_errors import brief, retry_delay
from recycling.hub.reasons import InvalidResponse, Outage, Reject
from recycling.hub.settings import Network

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
PAUSE_FACTOR = 1.0  # scales every pause; tests lower it
MAX_RESPONSE_BYTES = 100_000_000
CHUNK = 1 << 20


class Client:
    """A connection to one Hub. Use it as a context manager, one at a time in a process.

    While it is open, huggingface_hub uses its session: every request has a time limit, the token
    is never sent to another host, and a Hub on this machine cannot redirect to another machine.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        token: str | bool | None = None,
        network: Network | None = None,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.network = network or Network()
        self._token = False if token is None and is_loopback(endpoint) else token
        self._blocked_until = 0.0
        self._lock = threading.Lock()
        self.api = huggingface_hub.HfApi(endpoint=self.endpoint, token=self._token)
        self.requests = 0

    def __enter__(self) -> "Client":
        huggingface_hub.set_client_factory(self._session)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        huggingface_hub.set_client_factory(default_client_factory)

    def retry(self, subject: str, action: Callable[[], T]) -> T:
        """Call `action` until it succeeds. `subject` names what it requests, for messages.

        Raises Reject for a permanent error and Outage after the last attempt. A "gone" answer
        must come twice before it counts: mirrors can lag behind.
        """
        gone_before = False
        for attempt in range(1, self.network.attempts + 1):
            self._wait_for_rate_limit()
            try:
                return action()
            except Exception as error:
                try:
                    delay = retry_delay(error, subject)
                except Reject as reject:
                    if gone_before or reject.reason != "gone" or attempt == self.network.attempts:
                        raise
                    gone_before, delay = True, None
                if attempt == self.network.attempts:
                    raise Outage(
                        f"{subject}: {brief(error)} ({attempt} attempts); run again to continue"
                    ) from error
                self._pause(attempt, delay)
        raise AssertionError("unreachable: attempts is at least 1")

    def read(self, repo_id: str, sha: str, path: str, start: int, stop: int) -> bytes:
        """Bytes start..stop of a file; fewer only where the server sends fewer. One request."""
        with self.stream(repo_id, sha, path, start, stop) as chunks:
            parts, missing = [], stop - start
            for chunk in chunks:
                parts.append(chunk[:missing])
                missing -= len(parts[-1])
                if missing <= 0:
                    break
            return b"".join(parts)

    @contextmanager
    def stream(
        self, repo_id: str, sha: str, path: str, start: int, stop: int
    ) -> Iterator[Iterator[bytes]]:
        """One GET of bytes start..stop of a file at a commit, in chunks."""
        url = huggingface_hub.hf_hub_url(repo_id, path, revision=sha, endpoint=self.endpoint)
        headers = build_hf_headers(token=self._token)
        # Compressed transfer would change lengths and ranges.
        headers |= {"Accept-Encoding": "identity", "Range": f"bytes={start}-{stop - 1}"}
        seconds = self._max_seconds() + (stop - start) / self.network.slowest
        # A server that ignores the range also sends the bytes before it.
        limits = {"max_seconds": seconds, "max_bytes": stop + CHUNK}
        with get_session().stream("GET", url, headers=headers, extensions=limits) as response:
            hf_raise_for_status(response)
            yield _chunks_from(response, start)

    def _session(self) -> httpx2.Client:
        hooks: dict[str, list[Callable[..., Any]]] = {
            "request": [self._check_request],
            "response": [self._limit_response],
        }
        limits = httpx2.Limits(max_connections=self.network.workers)
        # Requests to a local Hub stay on this machine (see _check_request): no certificate needed.
        verify = not is_loopback(self.endpoint)
        return httpx2.Client(event_hooks=hooks, follow_redirects=True, limits=limits, verify=verify)

    def _check_request(self, request: httpx2.Request) -> None:
        if huggingface_hub.constants.is_offline_mode():
            raise Outage("HF_HUB_OFFLINE is set, but this step needs the Hub: unset it")
        same_origin = _origin(str(request.url)) == _origin(self.endpoint)
        if not same_origin and ("Authorization" in request.headers or is_loopback(self.endpoint)):
            raise Outage(
                f"{self.endpoint} points to {request.url.host}: refused, "
                "because the token must not leave its host, nor a local Hub lead to another one"
            )
        # huggingface_hub sends its own requests without a time limit.
        request.extensions["timeout"] = dict.fromkeys(
            ("connect", "read", "write", "pool"), self.network.timeout
        )
        with self._lock:
            self.requests += 1

    def _limit_response(self, response: httpx2.Response) -> None:
        extensions = response.request.extensions
        deadline = time.monotonic() + extensions.get("max_seconds", self._max_seconds())
        max_bytes = extensions.get("max_bytes", MAX_RESPONSE_BYTES)
        response.stream = _LimitedStream(response.stream, deadline, max_bytes)

    def _max_seconds(self) -> float:
        return 4 * self.network.timeout

    def _pause(self, attempt: int, delay: float | None) -> None:
        """Pause before the next attempt. If the Hub named a delay, every thread observes it."""
        if delay is not None:
            with self._lock:
                until = time.monotonic() + PAUSE_FACTOR * (delay + 1)
                self._blocked_until = max(self._blocked_until, until)
            return
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
        time.sleep(PAUSE_FACTOR * random.uniform(0.5, 1.0) * longest)

    def _wait_for_rate_limit(self) -> None:
        while (remaining := self._blocked_until - time.monotonic()) > 0:
            time.sleep(remaining)


class _LimitedStream(httpx2.SyncByteStream):
    """A response body that fails when it takes too long or grows too large."""

    def __init__(self, stream: Any, deadline: float, max_bytes: int) -> None:
        self._stream = stream
        self._deadline = deadline
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the response took too long")
            if size > self._max_bytes:
                raise InvalidResponse(f"a response of more than {self._max_bytes} bytes")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _chunks_from(response: httpx2.Response, start: int) -> Iterator[bytes]:
    """The body from byte `start` of the file on, whether or not the server honours ranges."""
    skip = start
    if response.status_code == 206:
        if not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise InvalidResponse("another range than requested")
        skip = 0
    for chunk in response.iter_bytes():
        if skip < len(chunk):
            yield chunk[skip:]
        skip = max(0, skip - len(chunk))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default
