"""Requests to the Hub that end: with a time limit, a size limit and a bounded number of tries."""

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
from recycling.hub.faults import brief, judge
from recycling.hub.reasons import Garbled, Outage, Reject
from recycling.hub.settings import Network

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
PATIENCE = 1.0  # factor on all waiting
LARGEST_ANSWER = 100_000_000
CHUNK = 1 << 20


class Client:
    """A Hub, asked politely. Use as a context manager; one at a time in a process.

    It lends huggingface_hub a session that ends every request, refuses to carry the token to
    another host, and never leaves this machine when the endpoint is on it.
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
        self._quiet_until = 0.0
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

    def ask(self, what: str, action: Callable[[], T]) -> T:
        """Do `action` until it succeeds. Reject for good reasons; Outage after the last try.

        That something is gone is believed when the Hub says so twice: copies lag behind.
        """
        missed = False
        for attempt in range(1, self.network.attempts + 1):
            self._wait_for_leave()
            try:
                return action()
            except Exception as error:
                try:
                    wanted = judge(error, what)
                except Reject as reject:
                    if missed or reject.reason != "gone" or attempt == self.network.attempts:
                        raise
                    missed, wanted = True, None
                if attempt == self.network.attempts:
                    raise Outage(
                        f"{what}: {brief(error)}, {attempt} times; run again to go on from here"
                    ) from error
                self._rest(attempt, wanted)
        raise AssertionError("unreachable: attempts is at least 1")

    def read(self, repo_id: str, sha: str, path: str, start: int, stop: int) -> bytes:
        """Bytes start..stop of a file; fewer only where the server sends fewer. One request."""
        with self.stream(repo_id, sha, path, start, stop) as pieces:
            parts, missing = [], stop - start
            for piece in pieces:
                parts.append(piece[:missing])
                missing -= len(parts[-1])
                if missing <= 0:
                    break
            return b"".join(parts)

    @contextmanager
    def stream(
        self, repo_id: str, sha: str, path: str, start: int, stop: int
    ) -> Iterator[Iterator[bytes]]:
        """One GET of bytes start..stop of a file at a commit, in pieces."""
        url = huggingface_hub.hf_hub_url(repo_id, path, revision=sha, endpoint=self.endpoint)
        headers = build_hf_headers(token=self._token)
        # compressed transfer would make lengths and ranges those of another text
        headers |= {"Accept-Encoding": "identity", "Range": f"bytes={start}-{stop - 1}"}
        seconds = self._longest() + (stop - start) / self.network.slowest
        # a server that ignores the range sends the bytes before it as well
        bounds = {"deadline": seconds, "most": stop + CHUNK}
        with get_session().stream("GET", url, headers=headers, extensions=bounds) as response:
            hf_raise_for_status(response)
            yield _from(response, start)

    def _session(self) -> httpx2.Client:
        hooks: dict[str, list[Callable[..., Any]]] = {
            "request": [self._before],
            "response": [self._after],
        }
        limits = httpx2.Limits(max_connections=self.network.workers)
        # a local Hub is not left (see _before), so there is no certificate to check
        verify = not is_loopback(self.endpoint)
        return httpx2.Client(event_hooks=hooks, follow_redirects=True, limits=limits, verify=verify)

    def _before(self, request: httpx2.Request) -> None:
        if huggingface_hub.constants.is_offline_mode():
            raise Outage("HF_HUB_OFFLINE is set, but the Hub must be asked: unset it")
        ours = _origin(str(request.url)) == _origin(self.endpoint)
        if not ours and ("Authorization" in request.headers or is_loopback(self.endpoint)):
            raise Outage(
                f"{self.endpoint} points to {request.url.host}: "
                "refused, because the token must not go there, nor a local Hub lead out"
            )
        # the client's own requests come without a limit
        request.extensions["timeout"] = dict.fromkeys(
            ("connect", "read", "write", "pool"), self.network.timeout
        )
        with self._lock:
            self.requests += 1

    def _after(self, response: httpx2.Response) -> None:
        extensions = response.request.extensions
        until = time.monotonic() + extensions.get("deadline", self._longest())
        most = extensions.get("most", LARGEST_ANSWER)
        response.stream = _Bounded(response.stream, until, most)

    def _longest(self) -> float:
        return 4 * self.network.timeout

    def _rest(self, attempt: int, wanted: float | None) -> None:
        """Wait before the next try; where the Hub named a time, every thread waits for it."""
        if wanted is not None:
            with self._lock:
                until = time.monotonic() + PATIENCE * (wanted + 1)
                self._quiet_until = max(self._quiet_until, until)
            return
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
        time.sleep(PATIENCE * random.uniform(0.5, 1.0) * longest)

    def _wait_for_leave(self) -> None:
        while (rest := self._quiet_until - time.monotonic()) > 0:
            time.sleep(rest)


class _Bounded(httpx2.SyncByteStream):
    """A body that fails when it takes too long or grows too large: slow drips end as well."""

    def __init__(self, stream: Any, until: float, most: int) -> None:
        self._stream = stream
        self._until = until
        self._most = most

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if time.monotonic() > self._until:
                raise httpx2.ReadTimeout("the whole answer took too long")
            if size > self._most:
                raise Garbled(f"an answer of more than {self._most} bytes")
            yield piece

    def close(self) -> None:
        self._stream.close()


def _from(response: httpx2.Response, start: int) -> Iterator[bytes]:
    """The body's pieces from byte `start` of the file on, whether or not the range was heeded."""
    skip = start
    if response.status_code == 206:
        if not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise Garbled("another range than was asked for")
        skip = 0
    for piece in response.iter_bytes():
        if skip < len(piece):
            yield piece[skip:]
        skip = max(0, skip - len(piece))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default
