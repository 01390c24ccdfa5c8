"""Layout: where the body is in the bytes of a response. The request reports it."""

from collections import deque
from collections.abc import Iterator


class Layout:
    """The layout of one response; positions count from its first byte.

    ``tail`` is where the bytes begin that belong to the end, such as the last chunk of a chunked body.
    """

    def __init__(self) -> None:
        self.tail: int | None = None
        self._finders: list[BodyFinder] = []

    def finder(self) -> "BodyFinder":
        """What follows the bytes of the response from the first on, until it is dropped."""
        self._finders.append(finder := BodyFinder())
        return finder

    def drop(self, finder: "BodyFinder") -> None:
        """Do not keep anything for ``finder``."""
        self._finders.remove(finder)

    def add_body(self, start: int, size: int) -> None:
        """Note that ``size`` bytes from ``start`` on, which are still to come, are of the body."""
        for finder in self._finders:
            finder.add(start, start + size)


class BodyFinder:
    """Follows the bytes of a response, however they are cut, and finds those of the body in them."""

    def __init__(self) -> None:
        self._position = 0
        self._spans: deque[tuple[int, int]] = deque()  # of the body, from the position on

    def add(self, start: int, end: int) -> None:
        if self._spans and self._spans[-1][1] == start:
            start, _ = self._spans.pop()
        self._spans.append((start, end))

    def parts(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where bytes of the body begin and end in ``data``, which follows the data before."""
        position = self._position
        self._position = end = position + len(data)
        while self._spans and self._spans[0][0] < end:
            first, last = self._spans[0]
            if last <= end:
                self._spans.popleft()
            yield max(first, position) - position, min(last, end) - position
            if last > end:
                return
