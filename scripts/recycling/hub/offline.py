"""Work without the network: compute nodes often have none, and a request would hang there."""

import os

VARIABLES = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")


class Offline:
    """Keeps the Hub libraries of this process off the network, from construction until `lift`.

    The libraries read these variables when they are imported: construct it before that.
    """

    def __init__(self) -> None:
        self._before = {name: os.environ.get(name) for name in VARIABLES}
        os.environ.update(dict.fromkeys(VARIABLES, "1"))

    def lift(self) -> None:
        """Restore the variables: offline mode that the user set stays on."""
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def blocked_request(error: BaseException) -> str | None:
    """One line on what a Hub library tried to request while offline; None for any other error."""
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    link: BaseException | None = error
    while link is not None:
        # datasets keeps only the name of the exception
        named = OfflineModeIsEnabled.__name__ in str(link)
        if named or isinstance(link, OfflineModeIsEnabled | LocalEntryNotFoundError):
            return " ".join(str(error).split())[:300]
        link = link.__cause__ or link.__context__
    return None
