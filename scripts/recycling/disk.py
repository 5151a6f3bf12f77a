"""Disks without room, whatever library runs into one."""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Libraries that are not Python's say it in words of their own.
WORDS = (
    "No space left on device",
    "quota exceeded",
    "File too large",
    "PytorchStreamWriter",
    "unexpected pos",
)


def no_room(error: BaseException) -> str | None:
    """What to tell the user where an error came from a full disk or a quota; None for others."""
    link: BaseException | None = error
    while link is not None:
        if (isinstance(link, OSError) and link.errno in FULL) or any(w in str(link) for w in WORDS):
            file = getattr(link, "filename", None)
            where = f" for {file}" if file else ""
            return f"no room on the disk{where}: make some and start again; finished runs are kept"
        link = link.__cause__ or link.__context__
    return None
