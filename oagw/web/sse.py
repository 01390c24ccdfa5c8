"""Server-sent events: their encoding and EventStream, the response that sends them over time.

The format is the WHATWG HTML standard's, section 9.2. ``Streams`` holds what all streams share: the
clock, the factor on their gaps, and which are open, so that a server can end them when it stops.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from oagw.web.reply import UPSTREAM, Headers, Reply, begin, fail

_NEWLINE = re.compile(r"\r\n|\r|\n")

# A tick may come this much early, as a share of the interval: clocks are floats.
_EARLY = 1e-3

# A tick that makes up for a long standstill writes about this many bytes and leaves the rest to the next.
_MOST = 65536


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``data`` may have several lines. ``retry`` is in milliseconds."""

    data: str
    event: str | None = None
    id: str | None = None
    retry: int | None = None


def encode(event: Event) -> bytes:
    """``event`` as it goes over the wire; raises ValueError for a line end in ``id`` or ``event``."""
    lines = []
    for name, value in (("id", event.id), ("event", event.event), ("retry", event.retry)):
        if value is not None:
            lines.append(f"{name}: {value}")
    if _NEWLINE.search("".join(lines)):
        raise ValueError("an id or event name cannot contain a line end")
    lines += [f"data: {line}" for line in _NEWLINE.split(event.data)]
    return ("\n".join(lines) + "\n\n").encode()


def encode_data(data: bytes) -> bytes:
    """An event with nothing but one line of ``data``, such as a JSON document."""
    return b"data: " + data + b"\n\n"


class Streams:
    """The event streams of one gateway.

    ``interval_scale`` multiplies the gap of each: 1 is real time, 0 sends without waiting.
    """

    def __init__(self, clock: IReactorTime, interval_scale: float = 1.0) -> None:
        self.clock = clock
        self.interval_scale = interval_scale
        self.open: set[EventStream] = set()

    def stream(
        self,
        chunks: Iterable[bytes],
        interval: float,
        *,
        headers: Headers | None = None,
        source: bytes = UPSTREAM,
    ) -> "EventStream":
        """An EventStream of ``chunks`` (each is one write), ``interval`` seconds apart."""
        fields = {
            b"Content-Type": (b"text/event-stream",),
            b"Cache-Control": (b"no-cache",),
            **(headers or {}),
        }
        head = Reply(200, headers=fields, source=source)
        return EventStream(self, head, iter(chunks), interval * self.interval_scale)

    def end(self) -> None:
        """End all open streams cleanly, as the gateway does when it shuts down."""
        for stream in list(self.open):
            stream.end()


@implementer(IPushProducer)
class EventStream:
    """A response that sends one chunk per tick of its own time grid, the first at once.

    It does not drift: a late tick sends all that fell due. It stops while the client does not read and
    takes up a fresh grid when it reads again, so at most what the transport holds is ever buffered. It
    ends at once when the client leaves, and with an abort (never a clean end) if its chunks break.
    """

    __slots__ = ("_ahead", "_chunks", "_due", "_head", "_interval", "_loop", "_request", "_streams")

    def __init__(self, streams: Streams, head: Reply, chunks: Iterator[bytes], interval: float) -> None:
        self._streams = streams
        self._head = head
        self._chunks = chunks
        self._interval = interval
        self._ahead: bytes | None = None  # the next chunk; None when all are sent
        self._due = 0.0  # when to send it, in the clock's seconds
        self._loop: LoopingCall | None = None  # None while the client does not read
        self._request: Request | None = None  # None before the start and after the end

    def start(self, request: Request) -> None:
        """Answer ``request``; a HEAD request gets the head alone and no tick."""
        if request.method == b"HEAD":
            begin(request, self._head)
            request.finish()
            return
        self._ahead = next(self._chunks, None)  # what breaks here is still an honest 500
        begin(request, self._head)
        self._request = request
        self._streams.open.add(self)
        request.notifyFinish().addBoth(self._over)
        request.registerProducer(self, True)
        request.write(b"")
        if self._ahead is None:
            self.end()
        # A producer that registers while the transport is already full is not told to wait.
        elif not getattr(request.channel, "congested", False):
            self._run(now=True)

    def resumeProducing(self) -> None:
        """The client reads (again). Called by the transport."""
        if self._request is not None and self._loop is None:
            self._run(now=False)

    def pauseProducing(self) -> None:
        """The client does not read. Called by the transport."""
        loop, self._loop = self._loop, None
        if loop is not None and loop.running:
            loop.stop()

    def stopProducing(self) -> None:
        """The connection is gone. Called by the transport."""
        self._over(None)

    def end(self) -> None:
        """End the response cleanly, whatever is left unsent."""
        request = self._over(None)
        if request is not None:
            request.unregisterProducer()
            request.finish()

    def _run(self, now: bool) -> None:
        clock = self._streams.clock
        self._due = clock.seconds() if now else clock.seconds() + self._interval
        self._loop = loop = LoopingCall(self._tick)
        loop.clock = clock
        loop.start(self._interval, now=now).addErrback(self._broken)

    def _tick(self) -> None:
        request = self._request
        latest = self._streams.clock.seconds() + self._interval * _EARLY
        pieces: list[bytes] = []
        size = 0
        while self._ahead is not None and self._due <= latest and size < _MOST:
            pieces.append(self._ahead)
            size += len(self._ahead)
            self._due += self._interval
            self._ahead = next(self._chunks, None)
            if not self._interval:
                break
        if not pieces or request is None:
            return  # LoopingCall may call twice around one point of the grid, where floats are coarse
        request.write(b"".join(pieces))
        if self._ahead is None:
            self.end()

    def _broken(self, failure: Failure) -> None:
        request = self._over(None)
        if request is not None:
            request.unregisterProducer()
            fail(request, failure)

    def _over(self, _: object) -> Request | None:
        """Let go of everything; returns the request that was being answered, if one was."""
        self.pauseProducing()
        self._streams.open.discard(self)
        request, self._request = self._request, None
        return request
