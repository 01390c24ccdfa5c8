"""How responses end: the terms that services, stubs, toxics, HTTP and the journal share."""

from collections.abc import Mapping
from enum import StrEnum


class Ending(StrEnum):
    """How a response ends, or has ended; the values are those of the journal."""

    OPEN = "open"  # it has not ended
    COMPLETE = "complete"
    CLIENT_LEFT = "client_left"  # the client closed the connection before the end
    TRUNCATE = "truncated"  # we close the connection (FIN) before the end
    RESET = "reset"  # we reset the connection (RST) once all written data is sent
    HANG = "hang"  # we send nothing more until the client leaves; in the journal, the response is open

    @property
    def is_broken(self) -> bool:
        """Whether the gateway ends the response early."""
        return self in (Ending.TRUNCATE, Ending.RESET)


# The names of the endings that a test can request, in stubs and in services.
ENDINGS_BY_NAME: Mapping[str, Ending] = {
    "close": Ending.COMPLETE,
    "complete": Ending.COMPLETE,
    "cut": Ending.TRUNCATE,
    "truncate": Ending.TRUNCATE,
    "reset": Ending.RESET,
    "hang": Ending.HANG,
}
