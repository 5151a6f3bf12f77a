"""Work without the network: compute nodes often have none, and a request would hang there."""

import os

VARIABLES = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")


class Offline:
    """Keeps this process's Hub libraries off the network from now until `lift`.

    They read these variables when they are imported: make one before that.
    """

    def __init__(self) -> None:
        self._before = {name: os.environ.get(name) for name in VARIABLES}
        os.environ.update(dict.fromkeys(VARIABLES, "1"))

    def lift(self) -> None:
        """Leave the variables as they were; a user's own wish to stay offline stands."""
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def wanted(error: BaseException) -> str | None:
    """What a Hub library wanted from the network, in one line; None for any other error."""
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    link: BaseException | None = error
    while link is not None:
        named = OfflineModeIsEnabled.__name__ in str(link)  # datasets keeps but the name of it
        if named or isinstance(link, OfflineModeIsEnabled | LocalEntryNotFoundError):
            return " ".join(str(error).split())[:300]
        link = link.__cause__ or link.__context__
    return None
