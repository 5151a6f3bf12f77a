"""A cache of what the Hub and the adapters' files contain, so that nothing is requested twice."""

import base64
import binascii
import os
import threading
import zlib
from pathlib import Path
from types import TracebackType

from recycling.errors import UserError


class Evidence:
    """An append-only file of (key, bytes), one line each: `key TAB base64(zlib(bytes))`.

    It survives kill -9 and works on network file systems: each line is written at once, an
    incomplete last line is dropped on the next opening, and the last line of a key counts.
    Contents stay on disk; memory holds keys and offsets. Keys are plain text without tabs and line
    breaks. The file holds the facts behind a verdict, never the verdict of a filter, so that a
    changed filter needs no new request.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = open(self.path, "a+b")  # noqa: SIM115 - closed by __exit__
        self._positions: dict[str, tuple[int, int]] = {}  # key -> offset and length
        self._index()

    def __enter__(self) -> "Evidence":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def get(self, key: str) -> bytes | None:
        """The bytes stored under a key; None if there are none or the line is damaged."""
        with self._lock:
            position = self._positions.get(key)
            if position is None:
                return None
            start, length = position
            line = os.pread(self._file.fileno(), length, start)
        try:
            return zlib.decompress(base64.b64decode(line, validate=True))
        except (binascii.Error, zlib.error):
            return None

    def put(self, key: str, content: bytes) -> bytes:
        """Store bytes under a key and return them. Raises UserError if the disk refuses them."""
        packed = base64.b64encode(zlib.compress(content))
        head = key.encode() + b"\t"
        with self._lock:
            try:
                start = self._file.seek(0, os.SEEK_END)
                self._file.write(head + packed + b"\n")
                self._file.flush()
            except OSError as error:
                raise UserError(f"{self.path}: {error.strerror}") from None
            self._positions[key] = (start + len(head), len(packed))
        return content

    def _index(self) -> None:
        self._file.seek(0)
        end = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                self._file.truncate(end)
                break
            key, _, packed = line[:-1].partition(b"\t")
            start = end + len(key) + 1
            self._positions[key.decode("utf-8", "replace")] = (start, len(packed))
            end += len(line)
