"""slicer: write a response in small pieces."""

from typing import Annotated

from msgspec import Meta

from oagw.model.invalid import Invalid
from oagw.toxics.attributes import Attributes, Microseconds
from oagw.toxics.link import Cutter, Link, Response

# The minimum delay between two slices in seconds. It keeps a few sliced responses from starving others.
_MIN_DELAY = 50e-6


class Slicer(Attributes, frozen=True):
    """Write pieces of ``average_size`` bytes, plus or minus up to ``size_variation``.

    The delay between two pieces is ``delay`` microseconds, but at least 50.
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
        self._min_size = attributes.average_size - attributes.size_variation
        self._max_size = attributes.average_size + attributes.size_variation
        self._delay = max(attributes.delay / 1_000_000, _MIN_DELAY)
        self._random = response.random

    def part_size(self, left: int) -> int:
        return self._random.randint(self._min_size, self._max_size)

    def time_after(self, size: int) -> float:
        return self._delay
