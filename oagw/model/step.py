"""Steps: what an answer that takes time is made of. ``web.stream`` plays them."""

from enum import Enum, auto
from typing import NamedTuple


class Then(Enum):
    """What happens after a step."""

    GO_ON = auto()
    CLOSE = auto()  # the response is complete
    TRUNCATE = auto()  # the connection is closed (FIN), the response is not complete
    RESET = auto()  # the connection is reset (RST) when all that was written is sent
    HANG = auto()  # nothing, until the client leaves


class Step(NamedTuple):
    """After ``pause`` seconds, ``data`` is written; ``raw`` data goes below the chunked coding."""

    pause: float
    data: bytes = b""
    then: Then = Then.GO_ON
    raw: bool = False
