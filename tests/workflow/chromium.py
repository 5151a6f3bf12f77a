"""A headless Chromium that shows a page and tells what happened, by its DevTools protocol."""

import asyncio
import contextlib
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str | None:
    """The first Chromium on the path."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One tab. complaints: errors on the console, exceptions, dialogs, and requests of the net."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse):
        self._socket = socket
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []

    async def call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            message = await asyncio.wait_for(self._socket.receive_json(), 60)
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            await self._hear(message)

    async def _hear(self, message: dict[str, Any]) -> None:
        method, params = message.get("method", ""), message.get("params", {})
        url = params.get("request", {}).get("url", "")
        if (
            method in ("Runtime.exceptionThrown", "Page.javascriptDialogOpening")
            or (method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"))
            or (method == "Log.entryAdded" and params["entry"]["level"] == "error")
            or (method == "Network.requestWillBeSent" and url.startswith(("http:", "https:")))
        ):
            self.complaints.append(json.dumps(message)[:600])
        if method == "Page.javascriptDialogOpening":  # the page waits until it is closed
            close = {"id": next(self._numbers), "method": "Page.handleJavaScriptDialog"}
            await self._socket.send_json(close | {"params": {"accept": True}})

    async def open(self, url: str) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression gives, awaited."""
        found = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, condition: str, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not await self.value(condition):
            assert time.monotonic() < end, f"not within {seconds} s: {condition}"
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def page(profile: Path) -> AsyncIterator[Page]:
    """A tab of a browser of its own, whose profile is the folder `profile`."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    command = [executable(), *flags, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            port = await _port(profile / "DevToolsActivePort")
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    tabs = await answer.json()
                (tab,) = [tab for tab in tabs if tab["type"] == "page"]
                async with session.ws_connect(
                    tab["webSocketDebuggerUrl"], max_msg_size=0
                ) as socket:
                    yield Page(socket)
        finally:
            browser.terminate()


async def _port(file: Path) -> str:
    for _ in range(600):
        if file.is_file() and (lines := file.read_text().splitlines()):
            return lines[0]
        await asyncio.sleep(0.05)
    raise AssertionError("Chromium did not start within 30 s")
