"""Streams: responses that are sent over time, step by step.

A Step is one write and the pause before it, an EventStream plays steps to one client, and Streams is what
the streams of a gateway share: their clock, the factor on their pauses, and one timer that wakes them all.
``web.sse`` has the format of events; ``web.resource`` starts a stream that a resource returns.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from heapq import heappop, heappush
from typing import Any, NamedTuple, Protocol

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from oagw.web.reply import UPSTREAM, Headers, Reply, begin, fail

log = Logger()

# Seconds between two looks at what has fallen due: streams come at most half of this early or late. What is
# overdue waits as long for its next turn.
TICK = 0.005

# The same where the clock stands still between its moves, and nothing is gained by being late.
_EXACT = 1e-6

# The tick of what is overdue.
_LATE = 0

# A stream that makes up for a standstill writes about this many bytes and leaves the rest to the next tick;
# one that begins writes about so many at first, as it may be one of hundreds.
_MOST = 65536
_AT_FIRST = 4096

# After so many steps in one tick, the streams that are left wait for the next, so that others get a turn. A
# step takes some 10 µs. Many streams at an ordinary pace stay below, a few at full speed do not.
_TURN = 8192


class Then(Enum):
    """What happens after a step."""

    GO_ON = auto()
    CLOSE = auto()  # the response is complete
    TRUNCATE = auto()  # the connection is closed (FIN), the response is not complete
    RESET = auto()  # the connection is reset (RST) when all that was written is sent
    HANG = auto()  # nothing, until the client leaves


class Step(NamedTuple):
    """After ``pause`` seconds, ``data`` is written; ``raw`` data goes below the chunked coding."""

    pause: float
    data: bytes = b""
    then: Then = Then.GO_ON
    raw: bool = False


class Waiter(Protocol):
    """What waits for its time: a stream, or an answer that is to come later."""

    def wake(self, now: float) -> int:
        """Do what has fallen due at ``now``; returns the number of steps."""

    def postpone(self, now: float) -> bool:
        """Wait for the turn after ``now``; False if there is nothing to wait for."""


class Streams:
    """The streams of one gateway.

    ``interval_scale`` multiplies their pauses: 1 is real time, 0 sends without waiting. One timer runs while
    a stream has something to wait for; all that fall due in the same tick are served there. ``turns`` is a
    clock that goes by itself, for where ``clock`` does not: streams that are overdue get their turns on it.
    """

    def __init__(
        self, clock: IReactorTime, interval_scale: float = 1.0, turns: IReactorTime | None = None
    ) -> None:
        self.clock = clock
        self.interval_scale = interval_scale
        self.grain = TICK if turns is None else _EXACT
        self.open: set[EventStream] = set()
        self.stalled: set[EventStream] = set()  # those whose client does not read
        self._turns = turns or clock
        # The streams that wait, by the tick they wait for, and those ticks as a heap.
        self._waiting: dict[int, dict[Waiter, None]] = {}
        self._ticks: list[int] = []
        self._beaten = 0  # the last tick that was served
        self._alarm: IDelayedCall | None = None  # for the first of the ticks
        self._alarm_tick = 0
        self._turn: IDelayedCall | None = None  # for those that are late

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
            stream.end()

    def wait(self, stream: Waiter, when: float, now: float) -> int:
        """Have ``stream`` woken at ``when`` (the clock's seconds); returns the tick, for ``forget``."""
        # What is overdue waits for its next turn as well, so that one stream cannot keep the others waiting.
        late = when <= now + self.grain / 2
        tick = _LATE if late else max(round(when / self.grain), self._beaten + 1)
        streams = self._waiting.get(tick)
        if streams is not None:
            streams[stream] = None
            return tick
        self._waiting[tick] = {stream: None}
        if not late:
            heappush(self._ticks, tick)
        self._set_alarms()
        return tick

    def forget(self, stream: Waiter, tick: int) -> None:
        """Do not wake ``stream`` at ``tick``, nor hold anything of it."""
        streams = self._waiting.get(tick, {})
        streams.pop(stream, None)
        if not streams:
            self._waiting.pop(tick, None)
        if not self._waiting:
            self._rest()

    @property
    def settled(self) -> bool:
        """Whether all that has fallen due is written, and taken by its clients."""
        return not self.stalled and _LATE not in self._waiting

    def owns(self, timer: IDelayedCall) -> bool:
        """Whether ``timer`` is there for the streams."""
        return timer is self._alarm or timer is self._turn

    @property
    def pending(self) -> int:
        """How many streams wait for a time to come."""
        return sum(len(streams) for tick, streams in self._waiting.items() if tick != _LATE)

    @property
    def next_due(self) -> float | None:
        """The first time that one of them waits for, in the clock's seconds."""
        tick = min((tick for tick in self._waiting if tick != _LATE), default=None)
        return None if tick is None else round(tick * self.grain, 6)

    def _set_alarms(self) -> None:
        if self._ticks and (self._alarm is None or self._ticks[0] < self._alarm_tick):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_tick = self._ticks[0]
            # A hair too early, as a sum of floats may be too small by one.
            when = (self._alarm_tick - 0.001) * self.grain
            self._alarm = self.clock.callLater(max(0.0, when - self.clock.seconds()), self._beat)
        if self._turn is None and _LATE in self._waiting:
            self._turn = self._turns.callLater(TICK, self._take_turns)

    def _beat(self) -> None:
        """Serve those whose time has come."""
        self._alarm = None
        now = self.clock.seconds()
        self._beaten = round(now / self.grain)
        due: list[Waiter] = []
        while self._ticks and self._ticks[0] <= self._beaten:
            due.extend(self._waiting.pop(heappop(self._ticks), ()))
        self._serve(due, now)

    def _take_turns(self) -> None:
        """Serve those that are late."""
        self._turn = None
        self._serve(self._waiting.pop(_LATE, ()), self.clock.seconds())

    def _serve(self, streams: Iterable[Waiter], now: float) -> None:
        due, steps = deque(streams), 0
        try:
            while due and steps < _TURN:
                steps += due.popleft().wake(now)
            # Those that are left go before those that had their turn.
            if first := {stream: None for stream in due if stream.postpone(now)}:
                self._waiting[_LATE] = first | self._waiting[_LATE]
        finally:
            if self._waiting:
                self._set_alarms()
            else:
                self._rest()

    def _rest(self) -> None:
        """Stop the timers: nobody waits."""
        self._ticks.clear()
        alarms = self._alarm, self._turn
        self._alarm = self._turn = None
        for alarm in alarms:
            if alarm is not None:
                alarm.cancel()


@implementer(IPushProducer)
class EventStream:
    """A response that plays its steps on a time grid of its own.

    It does not drift: when it is late, all that fell due is sent. It stops while the client does not read
    and takes up a fresh grid when it reads again, so at most what the transport holds is ever buffered. It
    ends at once when the client leaves, and with an abort (never a clean end) if its steps break.
    """

    __slots__ = ("_began", "_due", "_next", "_reply", "_request", "_steps", "_streams", "_tick")

    def __init__(self, streams: Streams, reply: Reply | None, steps: Iterator[Step]) -> None:
        self._streams = streams
        self._reply = reply
        self._steps = steps
        self._next: Step | None = None  # None when there is nothing left to do
        self._began = 0.0  # when the time grid began, in the clock's seconds
        self._due = 0.0  # when to do it, in seconds from there: small numbers add up exactly
        self._tick: int | None = None  # when to be woken for it; None if that is not arranged
        self._request: Request | None = None  # None before the start and after the end

    def start(self, request: Request) -> None:
        """Answer ``request``; a HEAD request gets the head alone and no step."""
        if request.method == b"HEAD":
            begin(request, self._reply or head())
            request.finish()
            return
        # What breaks here is still an honest 500.
        self._next = next(self._steps, None) or Step(0, then=Then.CLOSE)
        self._request = request
        self._streams.open.add(self)
        request.notifyFinish().addBoth(self._over)
        request.registerProducer(self, True)
        if self._reply is not None:
            begin(request, self._reply)
            self._reply = None  # it need not stay as long as the stream
            request.write(b"")
        # A producer that registers while the transport is already full is not told to wait.
        now = self._take_up_grid(self._next)
        if getattr(request.channel, "congested", False):
            self._streams.stalled.add(self)
        else:
            self.wake(now, _AT_FIRST)

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
            self._tick = self._streams.wait(self, now + self._due, now)

    def pauseProducing(self) -> None:
        """The client does not read. Called by the transport."""
        if self._next is not None:
            self._streams.stalled.add(self)
        self._sleep()

    def stopProducing(self) -> None:
        """The connection is gone. Called by the transport."""
        self._over()

    def end(self, then: Then = Then.CLOSE) -> None:
        """End the response, whatever is left unsent."""
        request = self._over()
        if request is None:
            return
        request.unregisterProducer()
        transport: Any = request.transport
        if then is Then.RESET:
            transport.abortConnection()
        elif then is Then.TRUNCATE:
            request.channel.loseConnection()
        else:
            request.finish()

    def _take_up_grid(self, step: Step) -> float:
        """Have ``step`` fall due a pause from now; returns the time now."""
        self._began = now = self._streams.clock.seconds()
        self._due = step.pause * self._streams.interval_scale
        return now

    def _play(self, now: float, most: int) -> int:
        request, step = self._request, self._next
        if request is None:
            return 0  # left in the same tick
        began, latest = self._began, now + self._streams.grain / 2
        frames: list[bytes] = []
        size, then = 0, Then.GO_ON
        while step is not None and began + self._due <= latest and size < most:
            if step.data:
                size += len(step.data)
                frames.append(step.data if step.raw or not request.chunked else _chunk(step.data))
            then, step = step.then, None
            if then is Then.GO_ON:
                step = next(self._steps, None)
                if step is None:
                    then = Then.CLOSE
                else:
                    self._due += step.pause * self._streams.interval_scale
        self._next = step
        if frames:
            request.sentLength += size
            request.channel.write(b"".join(frames))
        if then is Then.RESET and getattr(request.channel, "unsent", False):
            # An abort would drop what the transport still holds, the head included. It stays overdue.
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

    def _over(self, _: object = None) -> Request | None:
        """Let go of everything; returns the request that was being answered, if one was."""
        self._sleep()
        self._next = None
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


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
