"""Progress of a long loop: a line on standard error every few seconds."""

import sys
import threading
import time
from typing import TypeVar

T = TypeVar("T")
INTERVAL = 5.0  # seconds between lines


class Progress:
    """Counts finished items, from any thread. `label` names the loop."""

    def __init__(self, label: str, total: int | None = None) -> None:
        self._label = label
        self._total = total
        self._done = 0
        self._start = self._last = time.monotonic()
        self._lock = threading.Lock()

    def count(self, result: T) -> T:
        """Count one more item and return its result."""
        with self._lock:
            self._done += 1
            if time.monotonic() - self._last > INTERVAL:
                self._last = time.monotonic()
                self._print()
        return result

    def end(self) -> None:
        """Print the final count."""
        self._print()

    def _print(self) -> None:
        of = f" of {self._total}" if self._total is not None else ""
        seconds = time.monotonic() - self._start
        print(f"{self._label}: {self._done}{of} ({seconds:.0f} s)", file=sys.stderr, flush=True)
