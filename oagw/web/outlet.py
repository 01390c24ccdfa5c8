"""Outlet: a stage between the channel of a response and the transport, which applies toxics.

The code above it does not know about it. It takes the bytes that the channel would write, and releases them
when they are due. For the connection and the journal, the response ends when the last of them is released.
"""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from oagw.model.ending import Ending
from oagw.model.events import EventCounter
from oagw.model.layout import Layout
from oagw.timing.ticker import Ticker

log = Logger()

# The largest number of overdue bytes and pieces that are released in one turn.
_MAX_BYTES = 65536
_MAX_PIECES = 1024

# The time of a response stands still while its client does not read for longer than this, in seconds. Shorter
# pauses do not count: each big write fills the transport for a moment, and a rate must hold nevertheless.
_STALL = 0.2


class Shaper(Protocol):
    """Changes or delays the bytes and the end of a response. ``toxics.link.Chain`` implements it."""

    @property
    def full(self) -> bool:
        """Whether it holds so much that the source should pause."""

    @property
    def due(self) -> float | None:
        """When ``drain`` will return the next item, in seconds."""

    def feed(self, data: bytes, now: float) -> None:
        """Take the next ``data``."""

    def end(self, ending: Ending, now: float) -> None:
        """Take the end of the response."""

    def drain(self, now: float) -> bytes | Ending | None:
        """Return the next item that is due by ``now``: a piece, or finally the ending. None if none is."""


class _Spent:
    """An empty Shaper. It replaces a finished one, whose data can then be freed."""

    full = False
    due = None

    def feed(self, data: bytes, now: float) -> None:
        pass

    def end(self, ending: Ending, now: float) -> None:
        pass

    def drain(self, now: float) -> bytes | Ending | None:
        return None


_SPENT = _Spent()


@implementer(IPushProducer)
class Outlet:
    """Sends the response to ``request``, a GatewayRequest, through ``chain``.

    The channel sees it as the producer of the response. It pauses and resumes ``source``, the actual
    producer, as the transport would: the source is paused while the client does not read, or the chain is
    full. ``closed`` is called at the end.
    """

    def __init__(
        self,
        request: Any,
        chain: Shaper,
        layout: Layout,
        ticker: Ticker,
        closed: "Callable[[Outlet], None]",
    ) -> None:
        self.tick: int | None = None  # see Ticker
        self.source: Any = None  # an IPushProducer
        self.ending = Ending.OPEN  # how the response has ended for the client
        self._request = request
        self._channel = request.channel
        self._chain: Shaper = chain
        self._layout = layout
        self._ticker = ticker
        self._closed = closed
        self._body = layout.finder()
        self._events = EventCounter()
        self._fed = 0  # the number of bytes that the channel wrote
        self._written = 0  # the number of bytes that were released
        self._sent = 0  # the number of those that are in the body
        self._head = b""
        self._head_end = 0  # the position of its end
        self._full = False
        self._paused: float | None = None  # when the client stopped reading
        self._stood = 0.0  # the number of seconds for which the time stood still

    @property
    def wants_pause(self) -> bool:
        """Whether the source has to pause."""
        return self._full or self._paused is not None or self.ending is Ending.HANG

    def note_head(self, head: bytes) -> None:
        """Note that ``head``, which has no blank line at its end, is written next."""
        self._head, self._head_end = head, self._fed + len(head)

    def note_body(self, start: int, size: int) -> None:
        """Note that in the next write, the ``size`` bytes from offset ``start`` belong to the body."""
        self._layout.add_body(self._fed + start, size)

    def note_tail(self) -> None:
        """Note that the next write belongs to the end of the response."""
        self._layout.tail = self._fed

    def write(self, data: bytes) -> None:
        """Take ``data``, which the channel would write."""
        if self.ending is Ending.OPEN:
            self._fed += len(data)
            self._chain.feed(data, self._now())
            self._release()

    def end(self, ending: Ending) -> None:
        """Take the end of the response."""
        if self.ending is Ending.OPEN:
            self._chain.end(ending, self._now())
            self._release()

    def cut(self) -> None:
        """Close the connection immediately, and drop the data that is held."""
        if self.ending in (Ending.OPEN, Ending.HANG):
            self._end(Ending.TRUNCATE)

    def wake(self, now: float) -> int:
        """Release what is due. Called by the ticker."""
        try:
            return self._release()
        except Exception:
            log.failure("an outlet failed", Failure())
            self._channel.transport.abortConnection()
            return 1

    def pauseProducing(self) -> None:
        """Called by the channel when the client has stopped reading."""
        if self._paused is None:
            pause, self._paused = not self.wants_pause, self._ticker.clock.seconds()
            self._ticker.forget(self)
            if pause and self.source is not None:
                self.source.pauseProducing()

    def resumeProducing(self) -> None:
        """Called by the channel when the client reads again."""
        if self._paused is None:
            return
        stood, self._paused = self._ticker.clock.seconds() - self._paused, None
        if stood > _STALL:
            self._stood += stood
        self._wait()
        if not self.wants_pause and self.source is not None:
            self.source.resumeProducing()

    def stopProducing(self) -> None:
        """Called by the channel when the connection is lost."""
        if self.source is not None:
            self.source.stopProducing()

    def lost(self) -> None:
        """Drop the data that is held. Called by the channel when the connection is lost."""
        self._ticker.forget(self)
        self._chain = _SPENT
        self._closed(self)

    def _now(self) -> float:
        """Return the time of the response, which stands still while its client does not read."""
        now = self._ticker.clock.seconds() if self._paused is None else self._paused
        return now - self._stood

    def _release(self) -> int:
        """Release what is due, up to the limits of a turn, and wait for the rest. Return how many pieces."""
        if self._paused is not None or self.ending is not Ending.OPEN:
            return 1
        latest = self._now() + self._ticker.grain / 2
        pieces: list[bytes] = []
        size, item = 0, self._chain.drain(latest)
        while isinstance(item, bytes):
            pieces.append(item)
            size += len(item)
            if size >= _MAX_BYTES or len(pieces) >= _MAX_PIECES:
                item = None
                break
            item = self._chain.drain(latest)
        if pieces and self._request.code >= 400:
            self._channel.site.arrivals.before_failure()
        for piece in pieces:
            self._write(piece)
        if item is not None:
            self._end(item)
        else:
            self._wait()
            self._balance()
        return len(pieces) or 1

    def _write(self, piece: bytes) -> None:
        entry = self._request.entry
        entry.begins()
        if self._written < self._head_end:
            before = self._head_end - len(self._head)
            entry.head_sent(self._head[: max(0, self._written + len(piece) - before)])
        for start, end in self._body.parts(piece):
            self._sent += end - start
            self._events.feed(piece[start:end])
        entry.wrote(self._channel.site.now(), self._sent, self._events.count)
        self._written += len(piece)
        self._channel.send(piece)

    def _wait(self) -> None:
        """Ask the ticker to wake this when the next item is due."""
        due = self._chain.due
        if self._paused is not None or self.ending is not Ending.OPEN or due is None:
            self._ticker.forget(self)
        else:
            self._ticker.wait(self, due + self._stood, self._ticker.clock.seconds())

    def _balance(self) -> None:
        """Pause the source if the chain has become full, or resume it if there is room again."""
        if self._full != self._chain.full:
            self._full = self._chain.full
            if self._paused is None and self.source is not None:
                if self._full:
                    self.source.pauseProducing()
                else:
                    self.source.resumeProducing()

    def _end(self, ending: Ending) -> None:
        is_paused, self.ending = self.wants_pause, ending
        self._ticker.forget(self)
        self._chain = _SPENT
        channel, request = self._channel, self._request
        if ending is not Ending.HANG:
            self._closed(self)
        if ending is Ending.COMPLETE:
            channel.remove_outlet()
            channel.requestDone(request)
        else:
            if self.source is not None:
                if ending is not Ending.HANG:
                    self.source.stopProducing()
                elif not is_paused:
                    self.source.pauseProducing()
            channel.end(request, ending)
