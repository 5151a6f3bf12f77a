"""Detection of full disks behind the errors of various libraries."""

import errno

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Native libraries report a full disk only in the text of the error.
FULL_DISK_TEXTS = (
    "No space left on device",
    "quota exceeded",
    "File too large",
    "PytorchStreamWriter",
    "unexpected pos",
)


def full_disk_message(error: BaseException) -> str | None:
    """The message for an error caused by a full disk or a quota; None for any other error."""
    link: BaseException | None = error
    while link is not None:
        full = isinstance(link, OSError) and link.errno in FULL_DISK
        if full or any(text in str(link) for text in FULL_DISK_TEXTS):
            file = getattr(link, "filename", None)
            where = f" (writing {file})" if file else ""
            return f"disk full{where}: free some space and run again; finished runs are kept"
        link = link.__cause__ or link.__context__
    return None
