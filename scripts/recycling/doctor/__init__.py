"""Checks of a machine before a long run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The result of a check. level: "ok", "warning", or "problem" if it would stop the run.

    fix: what to do about it, one line; empty for "ok".
    """

    level: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.level:8} {self.what}" + (f": {self.fix}" if self.fix else "")
