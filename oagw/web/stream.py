"""Streams: responses that are sent over time, step by step.

A Step is one write and the pause before it, an EventStream plays steps to one client, and Streams is what
the streams of a gateway share: the factor on their pauses, and the timetable that wakes them.
``timing.timetable`` has that, ``model.sse`` the format of events; ``web.deliver`` starts a stream that a
resource returns, and ``gateway.under_toxics`` plays one under toxics.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http_headers
from twisted.web.server import Request
from zope.interface import implementer

from oagw.model.entry import RESET, TRUNCATED, Entry
from oagw.model.events import AnswerCounter, EventCounter
from oagw.model.step import Step, Then
from oagw.timing.timetable import Timetable
from oagw.web.exchange import entry_of
from oagw.web.reply import UPSTREAM, Headers, Reply, begin, fail, is_bodiless

log = Logger()

# A stream that makes up for a standstill writes about this many bytes and leaves the rest to the next tick;
# one that begins writes about so many at first, as it may be one of hundreds.
_MOST = 65536
_AT_FIRST = 4096
# The same for steps: under a slicer each is a write, so that others would wait for tens of thousands of them.
_STEPS = 1024

# What the journal says of an answer with this end.
_ENDED = {Then.TRUNCATE: TRUNCATED, Then.RESET: RESET}


class Streams(Timetable):
    """The streams of one gateway.

    ``interval_scale`` multiplies their pauses: 1 is real time, 0 sends without waiting.
    """

    def __init__(
        self, clock: IReactorTime, interval_scale: float = 1.0, turns: IReactorTime | None = None
    ) -> None:
        super().__init__(clock, turns)
        self.interval_scale = interval_scale
        self.open: set[EventStream] = set()

    def stream(
        self,
        chunks: Iterable[bytes],
        interval: float,
        *,
        headers: Headers | None = None,
    ) -> "EventStream":
        """An EventStream of ``chunks`` (each is one write), ``interval`` seconds apart."""
        return self.play(_steps(chunks, interval), head(headers))

    def play(self, steps: Iterable[Step], reply: Reply | None) -> "EventStream":
        """A stream of ``steps`` after the head of ``reply``, or after none at all.

        The response is complete (Then.CLOSE) when the steps are used up.
        """
        return EventStream(self, reply, iter(steps))

    def end(self) -> None:
        """End all open streams cleanly, as the gateway does when it shuts down."""
        for stream in list(self.open):
            stream.shut()


@implementer(IPushProducer)
class EventStream:
    """A response that plays its steps on a time grid of its own.

    It does not drift: when it is late, all that fell due is sent. It stops while the client does not read
    and takes up a fresh grid when it reads again, so at most what the transport holds is ever buffered. It
    ends at once when the client leaves, and with an abort (never a clean end) if its steps break.
    """

    __slots__ = (
        "_began",
        "_count",
        "_due",
        "_entry",
        "_next",
        "_reply",
        "_request",
        "_scale",
        "_steps",
        "_streams",
        "_tick",
    )

    def __init__(self, streams: Streams, reply: Reply | None, steps: Iterator[Step]) -> None:
        self._streams = streams
        self._reply = reply
        self._steps = steps
        self._next: Step | None = None  # None when there is nothing left to do
        self._began = 0.0  # when the time grid began, in the clock's seconds
        self._due = 0.0  # when to do it, in seconds from there: small numbers add up exactly
        self._tick: int | None = None  # when to be woken for it; None if that is not arranged
        self._request: Request | None = None  # None before the start and after the end
        self._scale = streams.interval_scale
        self._count: EventCounter | AnswerCounter = EventCounter()
        self._entry: Entry | None = None

    def start(self, request: Request) -> None:
        """Answer ``request``; where there is a head and no body, it gets the head alone and no step."""
        if self._reply is not None and is_bodiless(request, self._reply):
            begin(request, self._reply)
            request.write(b"")  # before the end: the journal has the status of what was sent
            request.finish()
            return
        self._begin(request)

    def _begin(self, request: Request) -> None:
        # What breaks here is still an honest 500.
        self._next = next(self._steps, None) or Step(0, then=Then.CLOSE)
        self._request = request
        self._entry = entry_of(request)
        self._streams.open.add(self)
        request.notifyFinish().addBoth(self._over)
        request.registerProducer(self, True)
        if self._reply is not None:
            begin(request, self._reply)
            request.write(b"")
            # What is sent need not stay as long as the stream.
            self._reply = None
            request.responseHeaders = http_headers.Headers()
        # A producer that registers while the transport is already full is not told to wait.
        now = self._take_up_grid(self._next)
        if getattr(request.channel, "congested", False):
            self._streams.stalled.add(self)
        else:
            self.wake(now, _AT_FIRST)

    def taken(self) -> tuple[Reply | None, Iterator[Step]]:
        """The head and the steps, for another to play; this must not be started then."""
        return self._reply, self._steps

    def postpone(self, now: float) -> bool:
        """Wait for the tick after ``now``; False if there is nothing to wait for. Called by Streams."""
        if self._request is None or self in self._streams.stalled:
            return False
        self._tick = self._streams.wait(self, now, now)
        return True

    def wake(self, now: float, most: int = _MOST) -> int:
        """Do what has fallen due at ``now``, and wait for what comes next. Called by Streams.

        About ``most`` bytes are written. Returns the number of steps.
        """
        self._tick = None
        try:
            return self._play(now, most)
        except Exception:
            failure, request = Failure(), self._over()
            if request is None:
                log.failure("a stream broke as it ended", failure)
            else:
                request.unregisterProducer()
                fail(request, failure)
            return 1

    def resumeProducing(self) -> None:
        """The client reads (again). Called by the transport."""
        self._streams.stalled.discard(self)
        if self._next is not None and self._tick is None:
            now = self._take_up_grid(self._next)
            self._tick = self._streams.wait(self, self._began + self._due, now)

    def pauseProducing(self) -> None:
        """The client does not read. Called by the transport."""
        if self._next is not None:
            self._streams.stalled.add(self)
        self._sleep()

    def stopProducing(self) -> None:
        """The connection is gone. Called by the transport."""
        self._over()

    def shut(self) -> None:
        """End cleanly because the gateway stops."""
        self.end()

    def end(self, then: Then = Then.CLOSE) -> None:
        """End the response, whatever is left unsent."""
        request = self._over()
        if request is None:
            return
        request.unregisterProducer()
        transport: Any = request.transport
        if self._entry is not None and then in _ENDED:
            self._entry.ends(_ENDED[then])
        if then is Then.RESET:
            transport.abortConnection()
        elif then is Then.TRUNCATE:
            request.channel.loseConnection()
        else:
            request.finish()

    def _take_up_grid(self, step: Step) -> float:
        """Have ``step`` fall due a pause from now; returns the time now."""
        self._began = now = self._streams.clock.seconds()
        self._due = step.pause * self._scale
        return now

    def _play(self, now: float, most: int) -> int:
        request, step = self._request, self._next
        if request is None:
            return 0  # left in the same tick
        began, latest = self._began, now + self._streams.grain / 2
        frames: list[bytes] = []
        size, then = 0, Then.GO_ON
        while step is not None and began + self._due <= latest and size < most and len(frames) < _STEPS:
            data = step.data
            if data:
                size += len(data)
                self._count.feed(data)
                frames.append(data if step.raw or not request.chunked else chunk(data))
            then, step = step.then, None
            if then is Then.GO_ON:
                step = next(self._steps, None)
                if step is None:
                    then = Then.CLOSE
                else:
                    self._due += step.pause * self._scale
        self._next = step
        if step is None and then is not Then.HANG and hasattr(request, "before_end"):  # a GatewayRequest
            request.before_end(broken=then in _ENDED)
        if frames:
            self._write(request, frames, size, now)
        if then is Then.RESET and getattr(request.channel, "undelivered", False):
            # An abort would drop what transport and system still hold, the head included. It stays overdue.
            step = self._next = Step(0, then=then)
        if step is None:
            if then is not Then.HANG:
                self.end(then)
        elif self not in self._streams.stalled:
            self._tick = self._streams.wait(self, began + self._due, now)
        return len(frames)

    def _sleep(self) -> None:
        tick, self._tick = self._tick, None
        if tick is not None:
            self._streams.forget(self, tick)

    def _write(self, request: Request, frames: list[bytes], size: int, now: float) -> None:
        """Write ``frames``, in which there are ``size`` bytes of the body, and have it in the journal."""
        request.channel.write(b"".join(frames))
        request.sentLength += size
        assert self._entry is not None
        self._entry.begins()
        self._entry.wrote(now, request.sentLength, self._count.count)

    def _over(self, _: object = None) -> Request | None:
        """Let go of everything; returns the request that was being answered, if one was."""
        self._sleep()
        self._next = None
        self._steps = iter(())  # they may hold a whole body, and this stream, in a circle
        self._streams.open.discard(self)
        self._streams.stalled.discard(self)
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


def _steps(chunks: Iterable[bytes], interval: float) -> Iterator[Step]:
    pause = 0.0
    for chunk in chunks:
        yield Step(pause, chunk)
        pause = interval


def chunk(data: bytes) -> bytes:
    """``data`` in the chunked coding (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)
