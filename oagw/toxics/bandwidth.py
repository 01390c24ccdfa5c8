"""bandwidth: limit the rate of a response."""

from typing import Annotated

from msgspec import Meta

from oagw.toxics.attributes import Attributes
from oagw.toxics.link import Cutter, Link, Response

# A part is what the rate allows in this number of seconds. It is longer than a tick, so that the rate holds.
_INTERVAL = 0.01


class Bandwidth(Attributes, frozen=True):
    """At most ``rate`` KB (of 1000 bytes) a second."""

    rate: Annotated[int, Meta(ge=1, le=10**9, extra={"unit": "KB per second"})]

    def link(self, response: Response) -> Link:
        return _Bandwidth(response, self.rate * 1000)


class _Bandwidth(Cutter):
    def __init__(self, response: Response, rate: int) -> None:
        super().__init__(response)
        self._rate = rate

    def part_size(self, left: int) -> int:
        return int(self._rate * _INTERVAL)

    def time_before(self, size: int) -> float:
        return size / self._rate
