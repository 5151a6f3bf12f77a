"""The log of a job: what it prints, kept beside its results by one process at a time."""

import contextlib
import fcntl
import sys
from pathlib import Path
from typing import TextIO

_claims: list[TextIO] = []


class Tee:
    """Writes to the terminal and to a log. What finds no room in the log is on the terminal."""

    def __init__(self, terminal: TextIO, log: TextIO):
        self.terminal, self.log = terminal, log

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self.log.write(text)
            self.log.flush()
        return self.terminal.write(text)

    def flush(self) -> None:
        self.terminal.flush()

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self.terminal.fileno()


def start_log(path: str | Path) -> None:
    """Print into the log at `path` too, from now to the end of this process.

    Waits while an earlier start of the same job is at work: where Snakemake was killed its jobs go
    on, and two of them must not write the same files. The claim is on a file beside the log, for
    Snakemake removes the log itself; the kernel ends it with the process.
    """
    _claims.append(open(Path(path).with_suffix(".lock"), "w"))  # noqa: SIM115 - kept open
    try:
        fcntl.flock(_claims[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{path}: an earlier start of this job is at work, waiting", file=sys.stderr)
        fcntl.flock(_claims[-1], fcntl.LOCK_EX)
    except OSError:
        pass  # a file system without locks
    log = open(path, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    sys.stdout, sys.stderr = Tee(sys.stdout, log), Tee(sys.stderr, log)  # type: ignore[assignment]
