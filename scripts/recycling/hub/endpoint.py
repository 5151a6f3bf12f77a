"""Which Hub a job uses, set before any Hub library is imported."""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from recycling.errors import UserError

PUBLIC = "https://huggingface.co"
START_SECONDS = 60.0
CLOSED_PORT = "http://127.0.0.1:9"


@contextlib.contextmanager
def hub_endpoint(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the URL of the configured Hub and point the Hub libraries of this process at it.

    settings: section `hub` of the configuration. The URL comes from, in this order:
    - `server`: a command (list of words) that serves a Hub and prints its URL on the first line.
      It runs while the block runs and must exit when its standard input closes.
    - `endpoint`, then the variable HF_ENDPOINT, then the public Hub.
    `cache`: the folder for downloads of huggingface_hub. With `server` the default is a temporary
    folder, because paths in the cache contain the repository's name but not its Hub.

    huggingface_hub reads its variables when it is imported: enter this block before that.
    Raises UserError if the server does not start or the URL is not http(s).
    """
    before = dict(os.environ)
    with contextlib.ExitStack() as stack:
        stack.callback(_restore, before)
        cache = settings.get("cache")
        if settings.get("server"):
            url = stack.enter_context(_started([str(word) for word in settings["server"]]))
            cache = cache or stack.enter_context(
                tempfile.TemporaryDirectory(prefix="hub-cache-", ignore_cleanup_errors=True)
            )
        else:
            url = settings.get("endpoint") or os.environ.get("HF_ENDPOINT") or PUBLIC
        url = url.rstrip("/")
        if urlsplit(url).scheme not in ("http", "https"):
            raise UserError(f"hub.endpoint: {url!r} is not an http(s) URL")
        _refuse_late_change(url)
        os.environ["HF_ENDPOINT"] = url
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        # Otherwise datasets reports downloads to a fixed public host.
        os.environ["HF_UPDATE_DOWNLOAD_COUNTS"] = "0"
        if cache:
            os.environ["HF_HOME"] = str(cache)
        if is_loopback(url):
            _stay_on_this_machine()
        yield url


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def _stay_on_this_machine() -> None:
    # No separate storage back end, and no user token.
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    # Requests to any other host fail at once, with or without a network.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        os.environ[name] = os.environ[name.lower()] = CLOSED_PORT
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost,::1"
    # Offline mode would also block loopback.
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ.pop(name, None)


def _refuse_late_change(url: str) -> None:
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None and getattr(constants, "ENDPOINT", url) != url:
        raise RuntimeError(
            f"huggingface_hub was imported with {constants.ENDPOINT} before hub_endpoint() set "
            f"{url}: import it, transformers and datasets inside the block"
        )


@contextlib.contextmanager
def _started(command: Sequence[str]) -> Iterator[str]:
    # "python" is the interpreter that runs this job, regardless of PATH.
    command = [sys.executable if command[0] == "python" else command[0], *command[1:]]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    except OSError as error:
        raise UserError(f"hub.server: cannot start {command[0]!r} ({error})") from None
    assert process.stdin is not None and process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        url = process.stdout.readline().strip() if ready else ""
        if not url.startswith("http"):
            raise UserError(
                f"hub.server: {' '.join(command)} printed {url!r} instead of its URL; "
                "run the command by hand to see why"
            )
        yield url
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _restore(before: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(before):
        del os.environ[name]
    os.environ.update(before)
