"""What the Hub and the files said, kept so that nothing is asked twice."""

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

    Made for kill -9 and for network file systems: a line is written at once, one torn at the end
    is dropped on the next opening, a later line of the same key wins. Contents stay on disk;
    memory holds keys and offsets. Keys are plain text without tabs and line breaks. Verdicts are
    never kept, only what they rest on, so that a changed filter needs no request.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = open(self.path, "a+b")  # noqa: SIM115 - closed by __exit__
        self._places: dict[str, tuple[int, int]] = {}
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
        """The bytes kept under a key, or None; also None where the line was damaged."""
        with self._lock:
            place = self._places.get(key)
            if place is None:
                return None
            line = os.pread(self._file.fileno(), place[1], place[0])
        try:
            return zlib.decompress(base64.b64decode(line, validate=True))
        except (binascii.Error, zlib.error):
            return None

    def put(self, key: str, content: bytes) -> bytes:
        """Keep bytes under a key and return them. UserError where the disk does not take them."""
        packed = base64.b64encode(zlib.compress(content))
        head = key.encode() + b"\t"
        with self._lock:
            try:
                start = self._file.seek(0, os.SEEK_END)
                self._file.write(head + packed + b"\n")
                self._file.flush()
            except OSError as error:
                raise UserError(f"{self.path}: {error.strerror}") from None
            self._places[key] = (start + len(head), len(packed))
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
            self._places[key.decode("utf-8", "replace")] = (start, len(packed))
            end += len(line)
