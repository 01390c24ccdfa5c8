"""How responses end: one set of words for services, stubs, toxics, HTTP and the journal."""

from collections.abc import Mapping
from enum import StrEnum


class Ending(StrEnum):
    """How a response ends, or has ended; the values are those of the journal."""

    OPEN = "open"  # it has not ended
    COMPLETE = "complete"
    CLIENT_LEFT = "client_left"  # the client closed the connection before the end
    TRUNCATE = "truncated"  # we close the connection (FIN) before the end
    RESET = "reset"  # we reset the connection (RST) when all that was written is sent
    HANG = "hang"  # nothing more comes until the client leaves; for the journal the response is open

    @property
    def is_broken(self) -> bool:
        """Whether we cut the response off."""
        return self in (Ending.TRUNCATE, Ending.RESET)


# What stubs and services call the ends that a test can ask for.
ENDINGS_BY_NAME: Mapping[str, Ending] = {
    "close": Ending.COMPLETE,
    "complete": Ending.COMPLETE,
    "cut": Ending.TRUNCATE,
    "truncate": Ending.TRUNCATE,
    "reset": Ending.RESET,
    "hang": Ending.HANG,
}
