"""Streams: responses that are sent over time, chunk by chunk.

A Chunk is one write and the pause before it. A Stream writes chunks to one client. Streams has what all
streams of a gateway share: the factor for their pauses, and the ticker whose LoopingCall wakes them.
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

# The approximate number of bytes that a stream which is late writes in one turn.
_MAX_BYTES = 65536
# The same for the first turn of a stream, because hundreds of streams may start at once.
_MAX_FIRST = 4096
# The largest number of chunks in one turn.
_MAX_CHUNKS = 1024


class Chunk(NamedTuple):
    """One write: ``data`` after ``pause`` seconds. The response ends with it unless ``ending`` is OPEN.

    ``events`` is the number of server-sent events that ``data`` completes; None if they must be counted. With
    ``raw``, the data is not framed.
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
        """Return a Stream of ``chunks``, ``interval`` seconds apart. Each is one write of whole events."""
        return self.play(_paced(chunks, interval), head(headers))

    def play(self, chunks: Iterable[Chunk], reply: Reply | None, *, endless: bool = False) -> "Stream":
        """Return a Stream of ``chunks`` after the head of ``reply``, or without any head.

        The response is complete after the last chunk. An ``endless`` one goes on until the client leaves.
        """
        return Stream(self, reply, iter(chunks), endless)

    def end(self) -> None:
        """End all open streams cleanly, as the gateway does when it shuts down."""
        for stream in list(self.open):
            stream.end()


@implementer(IPushProducer)
class Stream:
    """A response that is written according to its own schedule.

    It does not drift: when it is late, it writes all chunks that are due. It pauses while the client does not
    read, and restarts the schedule when the client reads again, so that only the transport buffers data. It
    ends as soon as the client leaves. If its chunks raise an exception, it aborts the connection, because a
    clean end would look like success.
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
        self._next: Chunk | None = _END  # None after the last chunk
        self._began = 0.0  # the start of the schedule, in seconds of the clock
        self._due = 0.0  # when the next chunk is due, in seconds from the start: small numbers add up exactly
        self._paused = False
        self._counter: EventCounter | None = None  # for chunks without a number of events
        self._request: Exchange | None = None  # None before the start and after the end
        self.tick: int | None = None  # see Ticker

    def start(self, request: Exchange) -> None:
        """Respond to ``request``. If the response cannot have a body, only its head is sent."""
        reply, self._reply = self._reply, None
        if reply is not None and is_bodiless(request, reply):
            begin(request, reply)
            request.write(b"")  # before finish(), so that the journal gets the status
            request.finish()
            return
        self._next = next(self._chunks, _END)  # an exception here still leads to a 500
        if reply is not None:
            begin(request, reply)
        self._request = request
        self._streams.open.add(self)
        request.endless = self._endless
        if reply is not None:
            request.write(b"")
            # Free the header fields, which are sent, before the stream ends.
            request.responseHeaders = http_headers.Headers()
        now = self._restart()
        request.registerProducer(self, True)
        if not self._paused:
            self._try_write(now, _MAX_FIRST)

    def wake(self, now: float) -> int:
        """Write the chunks that are due. Called by the ticker."""
        return self._try_write(now, _MAX_BYTES)

    def pauseProducing(self) -> None:
        """Called by the channel when the client has stopped reading."""
        self._paused = True
        self._streams.ticker.forget(self)

    def resumeProducing(self) -> None:
        """Called by the channel when the client reads (again)."""
        if self._paused and self._next is not None:
            self._paused = False
            now = self._restart()
            self._streams.ticker.wait(self, now + self._due, now)

    def stopProducing(self) -> None:
        """Called by the channel when the connection is lost."""
        self._release()

    def end(self, ending: Ending = Ending.COMPLETE) -> None:
        """End the response now. The remaining chunks are not sent."""
        request = self._release()
        if request is not None:
            request.unregisterProducer()
            request.end(ending)

    def _restart(self) -> float:
        """Restart the schedule: the next chunk is due after its pause, counted from now. Return the time."""
        self._began = now = self._streams.ticker.clock.seconds()
        if self._next is not None:
            self._due = self._next.pause * self._streams.interval_scale
        return now

    def _try_write(self, now: float, most: int) -> int:
        """Write about ``most`` bytes of the chunks that are due. An exception aborts the response."""
        try:
            return self._write_due(now, most)
        except Exception:
            failure, request = Failure(), self._release()
            if request is None:
                log.failure("a stream failed while it ended", failure)
            else:
                request.uncork()
                request.unregisterProducer()
                fail(request, failure)
            return 1

    def _write_due(self, now: float, most: int) -> int:
        """Write about ``most`` bytes of the chunks that are due, and wait for the next. Return how many."""
        request, chunk = self._request, self._next
        assert request is not None
        assert chunk is not None
        elapsed = now - self._began + self._streams.ticker.grain / 2
        size = count = 0
        while self._due <= elapsed and size < most and count < _MAX_CHUNKS and not self._paused:
            if count == 1:
                request.cork()  # send chunks that are due together in one piece
            count += 1
            if chunk.data:
                self._write(request, chunk)
                size += len(chunk.data)
                if self._request is None:
                    return count  # a toxic has ended the response
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
            request.end(ending)  # the stream stays open
        else:
            self.end(ending)

    def _count(self, data: bytes) -> int:
        """Return the number of events that ``data`` completes."""
        if self._counter is None:
            self._counter = EventCounter()
        before = self._counter.count
        self._counter.feed(data)
        return self._counter.count - before

    def _release(self) -> Exchange | None:
        """Free all resources, and return the request unless the response has ended already."""
        self._streams.ticker.forget(self)
        self._next = None
        self._chunks = iter(())  # the old ones may hold a whole body, and refer to this stream
        self._streams.open.discard(self)
        request, self._request = self._request, None
        return request


def head(headers: Headers | None = None) -> Reply:
    """Return the head of an upstream's event stream. ``headers`` are added, or replace the default ones."""
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
