"""Outlet: what one response goes through between its channel and the transport, such as toxics.

Nothing above knows of it. It takes the bytes that the channel would write and lets them out in their time.
The response is over, for its connection and for the journal, when the last of them is out.
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

# Of what is overdue, so many bytes and pieces go out in one turn.
_MOST_BYTES = 65536
_MOST_PIECES = 1024

# Seconds without a reader after which time stands still for the response. A big write alone fills the
# transport for a moment, and a rate must hold nevertheless.
_STALL = 0.2


class Shaper(Protocol):
    """What changes the bytes and the end of a response, or when they come; ``toxics.link.Chain`` is one."""

    @property
    def full(self) -> bool:
        """Whether it holds so much that its source should pause."""

    @property
    def due(self) -> float | None:
        """When it has something to give."""

    def feed(self, data: bytes, now: float) -> None:
        """Take ``data``."""

    def end(self, ending: Ending, now: float) -> None:
        """Take the end."""

    def drain(self, now: float) -> bytes | Ending | None:
        """The next piece that has come out by ``now``, or the ending as the last."""


class _Spent:
    """An empty chain. It replaces a finished one, whose data can then be freed."""

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
    """Lets the response to ``request``, a GatewayRequest, out through ``chain``.

    To the channel it is the producer of the response, and to ``source``, the true one, what the transport
    would be. There are two reasons for which a source has to pause: the client does not read, or the chain is
    full. It is told when the first of them comes, and when the last is gone. ``closed`` is called at the end.
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
        self.ending = Ending.OPEN  # how the response has ended, as it came out
        self._request = request
        self._channel = request.channel
        self._chain: Shaper = chain
        self._layout = layout
        self._ticker = ticker
        self._closed = closed
        self._body = layout.finder()
        self._events = EventCounter()
        self._fed = 0  # bytes that went in
        self._written = 0  # bytes that came out
        self._sent = 0  # those of the body
        self._head = b""
        self._head_end = 0  # its position
        self._full = False
        self._paused: float | None = None  # since when the client does not read
        self._stood = 0.0  # seconds for which time stood still

    @property
    def wants_pause(self) -> bool:
        """Whether a source has to pause."""
        return self._full or self._paused is not None

    def note_head(self, head: bytes) -> None:
        """Note that ``head``, without the blank line, is written next."""
        self._head, self._head_end = head, self._fed + len(head)

    def note_body(self, start: int, size: int) -> None:
        """Note that of what is written next, ``size`` bytes from ``start`` on are of the body."""
        self._layout.add_body(self._fed + start, size)

    def note_tail(self) -> None:
        """Note that what is written next belongs to the end."""
        self._layout.tail = self._fed

    def write(self, data: bytes) -> None:
        """Take what the channel would write."""
        if self.ending is Ending.OPEN:
            self._fed += len(data)
            self._chain.feed(data, self._now())
            self._flow()

    def end(self, ending: Ending) -> None:
        """Take the end of the response."""
        if self.ending is Ending.OPEN:
            self._chain.end(ending, self._now())
            self._flow()

    def cut(self) -> None:
        """Close the connection at once, whatever is held."""
        if self.ending in (Ending.OPEN, Ending.HANG):
            self._end(Ending.TRUNCATE)

    def wake(self, now: float) -> int:
        """Let out what is due. Called by the ticker."""
        try:
            return self._flow()
        except Exception:
            log.failure("an outlet failed", Failure())
            self._channel.transport.abortConnection()
            return 1

    def pauseProducing(self) -> None:
        """The client does not read. Called by the channel."""
        if self._paused is None:
            pause, self._paused = not self.wants_pause, self._ticker.clock.seconds()
            self._ticker.forget(self)
            if pause and self.source is not None:
                self.source.pauseProducing()

    def resumeProducing(self) -> None:
        """The client reads again. Called by the channel."""
        if self._paused is None:
            return
        stood, self._paused = self._ticker.clock.seconds() - self._paused, None
        if stood > _STALL:
            self._stood += stood
        self._wait()
        if not self.wants_pause and self.source is not None:
            self.source.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is gone. Called by the channel."""
        if self.source is not None:
            self.source.stopProducing()

    def lost(self) -> None:
        """The connection is gone, and with it all that is held. Called by the channel."""
        self._ticker.forget(self)
        self._chain = _SPENT
        self._closed(self)

    def _now(self) -> float:
        """The time of the response, which stands still while its client does not read."""
        now = self._ticker.clock.seconds() if self._paused is None else self._paused
        return now - self._stood

    def _flow(self) -> int:
        """Let out what is due, as much as one turn may, and wait for the rest; returns how many writes."""
        if self._paused is not None or self.ending is not Ending.OPEN:
            return 1
        latest = self._now() + self._ticker.grain / 2
        pieces: list[bytes] = []
        size, item = 0, self._chain.drain(latest)
        while isinstance(item, bytes):
            pieces.append(item)
            size += len(item)
            if size >= _MOST_BYTES or len(pieces) >= _MOST_PIECES:
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
        """Have the ticker wake this for what comes out next."""
        due = self._chain.due
        if self._paused is not None or self.ending is not Ending.OPEN or due is None:
            self._ticker.forget(self)
        else:
            self._ticker.wait(self, due + self._stood, self._ticker.clock.seconds())

    def _balance(self) -> None:
        """Tell the source whether it has to pause."""
        if self._full != self._chain.full:
            self._full = self._chain.full
            if self._paused is None and self.source is not None:
                if self._full:
                    self.source.pauseProducing()
                else:
                    self.source.resumeProducing()

    def _end(self, ending: Ending) -> None:
        self.ending = ending
        self._ticker.forget(self)
        self._chain = _SPENT
        channel, request = self._channel, self._request
        if ending is not Ending.HANG:
            self._closed(self)
        if ending is Ending.COMPLETE:
            channel.remove_outlet()
            channel.requestDone(request)
        else:
            pause, self._full = not self.wants_pause, True  # for good, whatever the client reads
            if self.source is not None:
                if ending is not Ending.HANG:
                    self.source.stopProducing()
                elif pause:
                    self.source.pauseProducing()
            channel.end(request, ending)
