"""Links: what toxics do to the bytes of one response on their way to the client.

A Link is fed the bytes and the end of a response at some time, and gives what comes out of it, piece by
piece, each at its time. Links know neither clocks nor connections: their caller passes the time.
They hold little: one that is ``full`` is not to be fed for a while.
"""

from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from oagw.model.ending import Ending
from oagw.model.layout import Layout

# A link is full with so many bytes or pieces, until it holds half as many.
MOST_BYTES = 262_144
MOST_PIECES = 16_384


class Response(NamedTuple):
    """What a link may know of the response that it acts on.

    ``acts`` is called once, when the toxic comes to have a part in the response.
    """

    random: Random
    layout: Layout
    acts: Callable[[], None]


class Link:
    """What one toxic does to one response.

    ``full`` is whether it holds so much that it should not be fed for a while.
    """

    full: bool = False

    @property
    def due(self) -> float | None:
        """When ``drain`` has something to give, in seconds; None as long as nothing more is fed."""
        raise NotImplementedError

    @property
    def pieces(self) -> int:
        """How many pieces it holds."""
        raise NotImplementedError

    def feed(self, data: bytes, now: float) -> None:
        """Take ``data``, which follows the data before, at the time ``now``, which never decreases."""
        raise NotImplementedError

    def end(self, ending: Ending, now: float) -> None:
        """Take the end of the response, after which nothing is fed."""
        raise NotImplementedError

    def drain(self, now: float) -> bytes | Ending | None:
        """The next piece that has come out by ``now``, or the ending as the last; None for none yet."""
        raise NotImplementedError


class Queue(Link):
    """A link that holds each piece until its time."""

    def __init__(self, response: Response) -> None:
        self._acts: Callable[[], None] | None = response.acts
        self._held: deque[tuple[float, bytes | Ending]] = deque()
        self._size = 0
        self._last = 0.0  # the time of the last piece

    @property
    def due(self) -> float | None:
        return self._held[0][0] if self._held else None

    @property
    def pieces(self) -> int:
        return len(self._held)

    def put(self, item: bytes | Ending, when: float) -> None:
        """Let ``item`` out at ``when``, but not before the one that was put before it."""
        self._last = when = max(self._last, when)
        self._held.append((when, item))
        if isinstance(item, bytes):
            self._size += len(item)
            if self._size >= MOST_BYTES or len(self._held) >= MOST_PIECES:
                self.full = True

    def drain(self, now: float) -> bytes | Ending | None:
        if not self._held or self._held[0][0] > now:
            return None
        _, item = self._held.popleft()
        if isinstance(item, bytes):
            self._size -= len(item)
            if self.full and self._size <= MOST_BYTES // 2 and len(self._held) <= MOST_PIECES // 2:
                self.full = False
        return item

    def end(self, ending: Ending, now: float) -> None:
        self.put(ending, now)

    def act(self) -> None:
        """Report that the toxic has a part in the response."""
        acts, self._acts = self._acts, None
        if acts is not None:
            acts()


class Cutter(Link):
    """A link that lets data out in parts, one after the other, cut only when they are due."""

    def __init__(self, response: Response) -> None:
        self._acts: Callable[[], None] | None = response.acts
        self._held: deque[bytes] = deque()
        self._size = 0
        self._start = 0  # where what is left of the first piece begins
        self._part = 0  # the size of the next part
        self._free = 0.0  # when the part before is through
        self._ending: Ending | None = None

    @property
    def pieces(self) -> int:
        return len(self._held)

    def part_size(self, left: int) -> int:
        """The size of the next part of a piece of which so many bytes are left; more is as good as all."""
        raise NotImplementedError

    def time_before(self, size: int) -> float:
        """Seconds from when the part before is through until a part of ``size`` bytes comes."""
        return 0.0

    def time_after(self, size: int) -> float:
        """Seconds from when the part comes until the next one may."""
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
        if self._size >= MOST_BYTES or len(self._held) >= MOST_PIECES:
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
        if self.full and self._size <= MOST_BYTES // 2 and len(self._held) <= MOST_PIECES // 2:
            self.full = False
        return part

    def _cut(self) -> None:
        left = len(self._held[0]) - self._start
        self._part = min(self.part_size(left), left)


class Chain(Link):
    """Links one after the other; a link is not drained while the next one is full."""

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
            # What comes out of a link goes into the next at that time, however late it is asked for.
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
        """Which link gives something next; of several at the same time the last."""
        found, first = None, 0.0
        blocked = False
        for index in range(self._last, -1, -1):
            link = self._links[index]
            due = None if blocked else link.due
            if due is not None and (found is None or due < first):
                found, first = index, due
            blocked = link.full
        return found
