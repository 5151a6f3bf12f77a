"""The exceptions that are meant for people."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class UserError(Exception):
    """Something the user can mend.

    The message is one line: the file, key or adapter concerned, what was expected, what to do.
    Scripts print it without a traceback.
    """


class Outdated(UserError):
    """Files name something that is gone or damaged.

    Without these files the next start makes them again, and with them what they name: a script that
    meets this error removes them.
    """

    def __init__(self, problem: str, *files: str | Path):
        more = f" and {len(files) - 1} more files" if files[1:] else ""
        named = f"{files[0]}{more}" if files else "what names it"
        super().__init__(f"{problem}; start again: {named} will then be made anew")
        self.files = [Path(file) for file in files]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion to add to a message; empty where no known name is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
