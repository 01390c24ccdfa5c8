"""Streams: responses that are sent over time, chunk by chunk.

A Chunk is one write and the pause before it, a Stream writes chunks to one client, and Streams is what the
streams of a gateway share: the factor on their pauses, and the ticker whose LoopingCall wakes them.
``model.sse`` has the format of events; ``web.deliver`` starts a stream that a resource returns.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http_headers
from zope.interface import implementer

from oagw.model import sse
from oagw.model.ending import Ending
from oagw.model.entry import OPEN
from oagw.model.events import EventCounter
from oagw.timing.ticker import Ticker
from oagw.web.exchange import Exchange
from oagw.web.reply import UPSTREAM, Headers, Reply, begin, fail, is_bodiless

log = Logger()

# A stream that makes up for a standstill writes about this many bytes and leaves the rest to the next turn;
# one that begins writes about so many at first, as it may be one of hundreds.
_MOST = 65536
_AT_FIRST = 4096
# The same for chunks.
_CHUNKS = 1024


class Chunk(NamedTuple):
    """After ``pause`` seconds ``data`` is written, and the response ends as ``ending`` says.

    ``events`` is how many server-sent events are complete with it; None if they are to be counted. ``raw``
    data goes below the framing.
    """

    pause: float
    data: bytes = b""
    events: int | None = None
    ending: Ending = Ending.OPEN
    raw: bool = False


_END = Chunk(0.0, ending=Ending.COMPLETE)


class Streams:
    """The streams of one gateway.

    ``interval_scale`` multiplies their pauses: 1 is real time, 0 sends without waiting.
    """

    def __init__(self, ticker: Ticker, interval_scale: float = 1.0) -> None:
        self.ticker = ticker
        self.interval_scale = interval_scale
        self.open: set[Stream] = set()

    def stream(
        self,
        chunks: Iterable[bytes],
        interval: float,
        *,
        headers: Headers | None = None,
    ) -> "Stream":
        """A Stream of ``chunks``, ``interval`` seconds apart; each is one write of whole events."""
        return self.play(_paced(chunks, interval), head(headers))

    def play(self, chunks: Iterable[Chunk], reply: Reply | None, *, endless: bool = False) -> "Stream":
        """A Stream of ``chunks`` after the head of ``reply``, or after none at all.

        The response is complete when the chunks are used up. An ``endless`` one has no end.
        """
        return Stream(self, reply, iter(chunks), endless)

    def end(self) -> None:
        """End all open streams cleanly, as the gateway does when it shuts down."""
        for stream in list(self.open):
            stream.end()


@implementer(IPushProducer)
class Stream:
    """A response that is written on a time grid of its own.

    It does not drift: when it is late, all that is due is written. It pauses while the client does not read,
    and begins a new grid when it reads again, so at most what the transport holds is ever buffered. It ends
    at once when the client leaves, and with an abort (never a clean end) if its chunks break.
    """

    __slots__ = (
        "_began",
        "_chunks",
        "_counter",
        "_due",
        "_endless",
        "_next",
        "_paused",
        "_reply",
        "_request",
        "_streams",
        "tick",
    )

    def __init__(self, streams: Streams, reply: Reply | None, chunks: Iterator[Chunk], endless: bool) -> None:
        self._streams = streams
        self._reply = reply
        self._chunks = chunks
        self._endless = endless
        self._next: Chunk | None = _END  # None if nothing more comes
        self._began = 0.0  # when the time grid began, in the clock's seconds
        self._due = 0.0  # when the next chunk is due, in seconds from there: small numbers add up exactly
        self._paused = False
        self._counter: EventCounter | None = None  # of events that are not counted where they are made
        self._request: Exchange | None = None  # None before the start and after the end
        self.tick: int | None = None  # see Ticker

    def start(self, request: Exchange) -> None:
        """Answer ``request``; where there is a head and no body, it gets the head alone and no chunk."""
        reply, self._reply = self._reply, None
        if reply is not None and is_bodiless(request, reply):
            begin(request, reply)
            request.write(b"")  # before the end: the journal has the status of what was sent
            request.finish()
            return
        self._next = next(self._chunks, _END)  # what breaks here is still an honest 500
        self._request = request
        self._streams.open.add(self)
        request.endless = self._endless
        if reply is not None:
            begin(request, reply)
            request.write(b"")
            # What is sent need not stay as long as the stream.
            request.responseHeaders = http_headers.Headers()
        now = self._begin_grid()
        request.registerProducer(self, True)
        if not self._paused:
            self._play(now, _AT_FIRST)

    def wake(self, now: float) -> int:
        """Write what is due. Called by the ticker."""
        return self._play(now, _MOST)

    def pauseProducing(self) -> None:
        """The client does not read. Called by the channel."""
        self._paused = True
        self._streams.ticker.forget(self)

    def resumeProducing(self) -> None:
        """The client reads (again). Called by the channel."""
        if self._paused and self._next is not None:
            self._paused = False
            now = self._begin_grid()
            self._streams.ticker.wait(self, now + self._due, now)

    def stopProducing(self) -> None:
        """The connection is gone. Called by the channel."""
        self._let_go()

    def end(self, ending: Ending = Ending.COMPLETE) -> None:
        """End the response, whatever is left unsent."""
        request = self._let_go()
        if request is not None:
            request.unregisterProducer()
            request.end(ending)

    def _begin_grid(self) -> float:
        """Have the next chunk be due a pause from now; returns the time now."""
        self._began = now = self._streams.ticker.clock.seconds()
        if self._next is not None:
            self._due = self._next.pause * self._streams.interval_scale
        return now

    def _play(self, now: float, most: int) -> int:
        """Write about ``most`` bytes of what is due; what breaks aborts the response."""
        try:
            return self._write_due(now, most)
        except Exception:
            failure, request = Failure(), self._let_go()
            if request is None:
                log.failure("a stream broke as it ended", failure)
            else:
                request.uncork()
                request.unregisterProducer()
                fail(request, failure)
            return 1

    def _write_due(self, now: float, most: int) -> int:
        """Write about ``most`` bytes of the chunks that are due, and wait for the next; returns how many."""
        request, chunk = self._request, self._next
        assert request is not None
        assert chunk is not None
        elapsed = now - self._began + self._streams.ticker.grain / 2
        size = count = 0
        while self._due <= elapsed and size < most and count < _CHUNKS and not self._paused:
            if count == 1:
                request.cork()  # what is due at once is sent in one piece
            count += 1
            if chunk.data:
                self._write(request, chunk)
                size += len(chunk.data)
                if self._request is None:
                    return count  # the response was cut on its way out
            if chunk.ending is not OPEN:
                self._next = None
                break
            self._next = chunk = next(self._chunks, _END)
            self._due += chunk.pause * self._streams.interval_scale
        if count > 1:
            request.uncork()
        if self._next is None:
            self._finish(request, chunk.ending)
        elif not self._paused:
            self._streams.ticker.wait(self, self._began + self._due, now)
        return count or 1

    def _write(self, request: Exchange, chunk: Chunk) -> None:
        events = self._count(chunk.data) if chunk.events is None else chunk.events
        if chunk.raw:
            request.write_raw(chunk.data, events)
        else:
            request.write(chunk.data, events)

    def _finish(self, request: Exchange, ending: Ending) -> None:
        if ending is Ending.HANG:
            request.end(ending)  # and stay open
        else:
            self.end(ending)

    def _count(self, data: bytes) -> int:
        """How many events are complete with ``data``."""
        if self._counter is None:
            self._counter = EventCounter()
        before = self._counter.count
        self._counter.feed(data)
        return self._counter.count - before

    def _let_go(self) -> Exchange | None:
        """Let go of everything; returns the request that was being answered, if one was."""
        self._streams.ticker.forget(self)
        self._next = None
        self._chunks = iter(())  # they may hold a whole body, and this stream, in a circle
        self._streams.open.discard(self)
        request, self._request = self._request, None
        return request


def head(headers: Headers | None = None) -> Reply:
    """The head of an upstream's event stream, with more ``headers`` or others."""
    fields = {
        b"Content-Type": (b"text/event-stream",),
        b"Cache-Control": (b"no-cache",),
        **(headers or {}),
    }
    return Reply(200, headers=fields, source=UPSTREAM)


def _paced(chunks: Iterable[bytes], interval: float) -> Iterator[Chunk]:
    pause = 0.0
    for chunk in chunks:
        yield Chunk(pause, chunk, sse.count(chunk))
        pause = interval
