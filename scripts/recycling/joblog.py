"""A job's log file, with a lock so that only one process at a time runs the job."""

import contextlib
import fcntl
import sys
from pathlib import Path
from typing import TextIO

_locks: list[TextIO] = []


class Tee:
    """Writes to the terminal and to a log. If the log's disk is full, to the terminal only."""

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
    """Copy everything that this process prints to the log at `path`, until the process ends.

    First waits for another process that runs the same job: when Snakemake is killed its jobs
    continue, and two processes must not write the same files. The lock is on a file beside the log,
    because Snakemake removes the log itself. The kernel releases it when the process ends.
    """
    _locks.append(open(Path(path).with_suffix(".lock"), "w"))  # noqa: SIM115 - kept open
    try:
        fcntl.flock(_locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{path}: another process is running this job; waiting for it", file=sys.stderr)
        fcntl.flock(_locks[-1], fcntl.LOCK_EX)
    except OSError:
        pass  # a file system without locks
    log = open(path, "w", encoding="utf-8")  # noqa: SIM115 - open until the process ends
    sys.stdout, sys.stderr = Tee(sys.stdout, log), Tee(sys.stderr, log)  # type: ignore[assignment]
