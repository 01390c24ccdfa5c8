"""Links: each applies one toxic to the bytes of one response.

A link is fed the data of a response and its end, and releases them later, piece by piece, when they are due.
It knows neither a clock nor a connection: the caller passes the time. A link buffers little; while it is
``full``, its caller should not feed it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from oagw.model.ending import Ending
from oagw.model.layout import Layout

# A link is full when it holds this many bytes or pieces, until it holds half as many.
MAX_BYTES = 262_144
MAX_PIECES = 16_384


class Response(NamedTuple):
    """What a link may know about its response.

    The link calls ``acts`` once, when its toxic first affects the response.
    """

    random: Random
    layout: Layout
    acts: Callable[[], None]


class Link:
    """Applies one toxic to one response.

    ``full`` is whether it holds so much that it should not be fed for now.
    """

    full: bool = False

    @property
    def due(self) -> float | None:
        """When ``drain`` will return the next item, in seconds; None if it needs to be fed first."""
        raise NotImplementedError

    @property
    def pieces(self) -> int:
        """The number of pieces that it holds."""
        raise NotImplementedError

    def feed(self, data: bytes, now: float) -> None:
        """Take the next ``data`` of the response at the time ``now``, which never decreases."""
        raise NotImplementedError

    def end(self, ending: Ending, now: float) -> None:
        """Take the end of the response. Nothing is fed after it."""
        raise NotImplementedError

    def drain(self, now: float) -> bytes | Ending | None:
        """Return the next item that is due by ``now``: a piece, or finally the ending. None if none is."""
        raise NotImplementedError


class Queue(Link):
    """A link that holds each piece until it is due."""

    def __init__(self, response: Response) -> None:
        self._acts: Callable[[], None] | None = response.acts
        self._held: deque[tuple[float, bytes | Ending]] = deque()
        self._size = 0
        self._last = 0.0  # when the last piece is due

    @property
    def due(self) -> float | None:
        return self._held[0][0] if self._held else None

    @property
    def pieces(self) -> int:
        return len(self._held)

    def put(self, item: bytes | Ending, when: float) -> None:
        """Release ``item`` at ``when``, but not before the previous item."""
        self._last = when = max(self._last, when)
        self._held.append((when, item))
        if isinstance(item, bytes):
            self._size += len(item)
            if self._size >= MAX_BYTES or len(self._held) >= MAX_PIECES:
                self.full = True

    def drain(self, now: float) -> bytes | Ending | None:
        if not self._held or self._held[0][0] > now:
            return None
        _, item = self._held.popleft()
        if isinstance(item, bytes):
            self._size -= len(item)
            if self.full and self._size <= MAX_BYTES // 2 and len(self._held) <= MAX_PIECES // 2:
                self.full = False
        return item

    def end(self, ending: Ending, now: float) -> None:
        self.put(ending, now)

    def act(self) -> None:
        """Report that the toxic affects the response."""
        acts, self._acts = self._acts, None
        if acts is not None:
            acts()


class Cutter(Link):
    """A link that releases data in parts, one after the other. It cuts a part off only when it is due."""

    def __init__(self, response: Response) -> None:
        self._acts: Callable[[], None] | None = response.acts
        self._held: deque[bytes] = deque()
        self._size = 0
        self._start = 0  # the offset of the rest of the first piece
        self._part = 0  # the size of the next part
        self._free = 0.0  # when the previous part ended
        self._ending: Ending | None = None

    @property
    def pieces(self) -> int:
        return len(self._held)

    def part_size(self, left: int) -> int:
        """Return the size of the next part of a piece with ``left`` bytes left. It may exceed ``left``."""
        raise NotImplementedError

    def time_before(self, size: int) -> float:
        """Return the seconds from the end of the previous part to the release of one of ``size`` bytes."""
        return 0.0

    def time_after(self, size: int) -> float:
        """Return the seconds from the release of a part of ``size`` bytes to its end."""
        return 0.0

    @property
    def due(self) -> float | None:
        if self._held:
            return self._free + self.time_before(self._part)
        return None if self._ending is None else self._free

    def feed(self, data: bytes, now: float) -> None:
        acts, self._acts = self._acts, None
        if acts is not None:
            acts()
        if not data:
            return
        if not self._held:
            self._free = max(self._free, now)
        self._held.append(data)
        self._size += len(data)
        if len(self._held) == 1:
            self._cut()
        if self._size >= MAX_BYTES or len(self._held) >= MAX_PIECES:
            self.full = True

    def end(self, ending: Ending, now: float) -> None:
        self._ending = ending
        if not self._held:
            self._free = max(self._free, now)

    def drain(self, now: float) -> bytes | Ending | None:
        due = self.due
        if due is None or due > now:
            return None
        if not self._held:
            ending, self._ending = self._ending, None
            return ending
        data, start = self._held[0], self._start
        part = data[start : start + self._part]
        self._start += len(part)
        self._size -= len(part)
        self._free = due + self.time_after(len(part))
        if self._start >= len(data):
            self._held.popleft()
            self._start = 0
        if self._held:
            self._cut()
        if self.full and self._size <= MAX_BYTES // 2 and len(self._held) <= MAX_PIECES // 2:
            self.full = False
        return part

    def _cut(self) -> None:
        left = len(self._held[0]) - self._start
        self._part = min(self.part_size(left), left)


class Chain(Link):
    """A series of links. A link is not drained while the next one is full."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = links
        self._last = len(links) - 1
        self._time = 0.0

    @property
    def full(self) -> bool:  # type: ignore[override]
        return self._links[0].full

    @property
    def due(self) -> float | None:
        index = self._next()
        return None if index is None else self._links[index].due

    @property
    def pieces(self) -> int:
        return sum(link.pieces for link in self._links)

    def feed(self, data: bytes, now: float) -> None:
        self._time = max(self._time, now)
        self._links[0].feed(data, self._time)

    def end(self, ending: Ending, now: float) -> None:
        self._time = max(self._time, now)
        self._links[0].end(ending, self._time)

    def drain(self, now: float) -> bytes | Ending | None:
        while (index := self._next()) is not None:
            link = self._links[index]
            due = link.due
            if due is None or due > now:
                return None
            # An item enters the next link when it was due in this one, no matter how late drain() is called.
            self._time = max(self._time, due)
            item = link.drain(self._time)
            if index == self._last:
                return item
            if isinstance(item, bytes):
                self._links[index + 1].feed(item, self._time)
            elif item is not None:
                self._links[index + 1].end(item, self._time)
        return None

    def _next(self) -> int | None:
        """Return the index of the link whose item is due first; the last of several at the same time."""
        found, first = None, 0.0
        blocked = False
        for index in range(self._last, -1, -1):
            link = self._links[index]
            due = None if blocked else link.due
            if due is not None and (found is None or due < first):
                found, first = index, due
            blocked = link.full
        return found
