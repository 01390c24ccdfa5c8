"""slicer: the response in small pieces."""

from typing import Annotated

from msgspec import Meta

from oagw.model.invalid import Invalid
from oagw.toxics.attributes import Attributes, Microseconds
from oagw.toxics.link import Cutter, Link, Response

# The least time from one slice to the next in seconds, so that a few sliced responses leave others a turn.
_APART = 50e-6


class Slicer(Attributes, frozen=True):
    """Pieces of ``average_size`` bytes, give or take ``size_variation``, each a write of its own.

    From one to the next it takes ``delay`` microseconds, 50 at least.
    """

    average_size: Annotated[int, Meta(ge=1, le=10**9, extra={"unit": "bytes"})]
    size_variation: Annotated[int, Meta(ge=0, le=10**9, extra={"unit": "bytes"})] = 0
    delay: Microseconds = 0

    def check(self) -> None:
        if self.size_variation >= self.average_size:
            raise Invalid("/attributes/size_variation", "size_variation must be less than average_size")

    def link(self, response: Response) -> Link:
        return _Slicer(response, self)


class _Slicer(Cutter):
    def __init__(self, response: Response, attributes: Slicer) -> None:
        super().__init__(response)
        self._least = attributes.average_size - attributes.size_variation
        self._most = attributes.average_size + attributes.size_variation
        self._delay = max(attributes.delay / 1_000_000, _APART)
        self._random = response.random

    def part_size(self, left: int) -> int:
        return self._random.randint(self._least, self._most)

    def time_after(self, size: int) -> float:
        return self._delay
