"""Exceptions whose messages are meant for users."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class UserError(Exception):
    """An error that the user can fix.

    The message is one line with the file, key or adapter concerned, what was expected and what to
    do. Scripts print it without a traceback.
    """


class Outdated(UserError):
    """Files refer to something that is missing or damaged.

    problem: what is missing. files: the files that refer to it. Scripts remove these files, so that
    the next run makes them again, together with what they refer to.
    """

    def __init__(self, problem: str, *files: str | Path):
        more = f" and {len(files) - 1} more files" if files[1:] else ""
        outdated = f"{files[0]}{more}" if files else "the files that refer to it"
        super().__init__(f"{problem}; run again to recreate {outdated}")
        self.files = [Path(file) for file in files]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion to add to a message; empty where no known name is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
