"""Progress for people: a line on standard error every few seconds."""

import sys
import threading
import time
from typing import TypeVar

T = TypeVar("T")
EVERY = 5.0


class Progress:
    """Counts what is done, from any thread."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._start = self._last = time.monotonic()
        self._lock = threading.Lock()

    def one(self, result: T) -> T:
        """Count one more and hand the result on."""
        with self._lock:
            self._done += 1
            if time.monotonic() - self._last > EVERY:
                self._last = time.monotonic()
                self._show()
        return result

    def end(self) -> None:
        """Say the final count."""
        self._show()

    def _show(self) -> None:
        of = f" of {self._total}" if self._total is not None else ""
        seconds = time.monotonic() - self._start
        print(f"{self._what}: {self._done}{of} ({seconds:.0f} s)", file=sys.stderr, flush=True)
