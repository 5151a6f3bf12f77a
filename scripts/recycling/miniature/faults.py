"""Faults that the loopback Hub can inject, so that tests meet them on purpose."""

import asyncio
import re
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Answer:
    """A whole answer before it is sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Fault:
    """What goes wrong with the requests whose `METHOD /path?query` matches `match` (a regex).

    action: `status` (answers `status` with `headers` and `body`), `body` (the right status, but
    `body`), `reset` (no answer), `cut` (the announced length, half the bytes, then a reset),
    `short` (consistent, but half the bytes), `corrupt` (right size, wrong bytes),
    `stall` (`seconds` of silence first), `drip` (one byte every `seconds`).
    `times`: how many matching requests; -1 is all. `after`: how many go well before.
    `met` counts the requests that were struck.
    """

    action: str
    match: str = ""
    times: int = 1
    after: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    met: int = 0

    def hits(self, line: str) -> bool:
        """Whether this request is struck; counts it."""
        if self.times == 0 or not re.search(self.match, line):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1 if self.times > 0 else 0
        self.met += 1
        return True


async def send(request: web.Request, answer: Answer, fault: Fault | None) -> web.StreamResponse:
    """Send an answer as it is, or as the fault would have it."""
    body, headers = answer.body, dict(answer.headers)
    if fault is not None:
        if fault.action == "reset":
            return _drop(request)
        if fault.action == "stall":
            await asyncio.sleep(fault.seconds)
        if fault.action == "status":
            answer, body, headers = Answer(fault.status), fault.body, dict(fault.headers)
        if fault.action == "body":
            body = fault.body
        if fault.action == "short":
            body = body[: len(body) // 2]
        if fault.action == "corrupt":
            body = bytes(byte ^ 0x55 for byte in body)
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    if request.method != "HEAD":
        if fault is not None and fault.action == "cut":
            await response.write(body[: len(body) // 2])
            await asyncio.sleep(0.05)  # what was sent arrives before the connection breaks
            return _drop(request)
        if fault is not None and fault.action == "drip":
            for byte in body:
                await response.write(bytes([byte]))
                await asyncio.sleep(fault.seconds)
        else:
            await response.write(body)
    await response.write_eof()
    return response


def _drop(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
