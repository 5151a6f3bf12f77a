"""Whether a machine can do a study, looked at before a long run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What a check found. level: "ok", "warning", or "problem" where it would stop the run.

    cure: what to do about it, one line; empty for "ok".
    """

    level: str
    what: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.level:8} {self.what}" + (f": {self.cure}" if self.cure else "")
