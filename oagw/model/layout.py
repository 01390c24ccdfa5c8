"""Layout: the positions of the body and of the end in the bytes of a response, for toxics.

``web.outlet`` reports them as the response is written.
"""

from collections import deque
from collections.abc import Iterator


class Layout:
    """The layout of one response. Positions count from its first byte.

    ``tail`` is the position of the first byte of the end, such as the last chunk of a chunked body.
    """

    def __init__(self) -> None:
        self.tail: int | None = None
        self._finders: list[BodyFinder] = []

    def finder(self) -> "BodyFinder":
        """Return a new BodyFinder, for all bytes of the response. Drop it when it is not needed any more."""
        self._finders.append(finder := BodyFinder())
        return finder

    def drop(self, finder: "BodyFinder") -> None:
        """Stop keeping data for ``finder``."""
        self._finders.remove(finder)

    def add_body(self, start: int, size: int) -> None:
        """Note that the ``size`` bytes from position ``start`` on, which come later, belong to the body."""
        for finder in self._finders:
            finder.add(start, start + size)


class BodyFinder:
    """Finds the bytes of the body in those of a response, in whatever pieces they arrive."""

    def __init__(self) -> None:
        self._position = 0
        self._spans: deque[tuple[int, int]] = deque()  # the parts of the body after the position

    def add(self, start: int, end: int) -> None:
        if self._spans and self._spans[-1][1] == start:
            start, _ = self._spans.pop()
        self._spans.append((start, end))

    def parts(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each part of the body in ``data``, the next data of the response."""
        position = self._position
        self._position = end = position + len(data)
        while self._spans and self._spans[0][0] < end:
            first, last = self._spans[0]
            if last <= end:
                self._spans.popleft()
            yield max(first, position) - position, min(last, end) - position
            if last > end:
                return
