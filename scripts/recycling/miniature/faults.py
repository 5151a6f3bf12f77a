"""Faults that the loopback Hub injects into its responses, for tests."""

import asyncio
import re
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Answer:
    """A complete response before it is sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Fault:
    """A fault in the responses to requests whose `METHOD /path?query` matches the regex `match`.

    action: `status` (respond with `status`, `headers` and `body`), `body` (correct status, but
    `body`), `reset` (no response), `cut` (the announced length, half the bytes, then a reset),
    `short` (consistent, but half the bytes), `corrupt` (correct size, wrong bytes), `stall`
    (`seconds` of silence first), `drip` (one byte every `seconds`).
    times: number of requests to hit, -1 for all. after: number of matching requests to spare first.
    met: number of requests hit so far.
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
        """Whether the fault hits this request; counts it."""
        if self.times == 0 or not re.search(self.match, line):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1 if self.times > 0 else 0
        self.met += 1
        return True


async def send(request: web.Request, answer: Answer, fault: Fault | None) -> web.StreamResponse:
    """Send a response, with the fault if there is one."""
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
            await asyncio.sleep(0.05)  # let the bytes arrive before the connection breaks
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
