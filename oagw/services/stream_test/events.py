"""GET /events: an event stream whose length, pace and end the request selects."""

import math
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from twisted.web.server import Request

from oagw.model.sse import Event, encode
from oagw.model.step import Step, Then
from oagw.services import Env, UpstreamNode
from oagw.services.stream_test.parameters import Parameters
from oagw.web.reply import UPSTREAM, Reply
from oagw.web.stream import EventStream, head

# Seconds between two events.
INTERVAL = 0.1

CLASSIC = (
    Event("First event", event="message", id="1"),
    Event("Second event", event="update", id="2"),
    Event("Third event with\nmultiple lines", event="message", id="3"),
    Event("Final event", event="complete", id="4"),
)

KEEP_ALIVE = b": keep-alive\n\n"

ENDS = {"close": Then.CLOSE, "reset": Then.RESET, "hang": Then.HANG, "truncate": Then.TRUNCATE}

# With one of these parameters, the events are generated instead of taken from CLASSIC.
MEASURES = frozenset(("count", "size", "event"))

_LARGEST_ID = 10**18
_ID = re.compile(rb"[1-9]\d{0,18}")

_YEAR = 365 * 86400
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wish:
    """The options of an event stream; see Events for their meaning."""

    count: int
    interval: float
    jitter: float
    random: Random
    make: Callable[[int], bytes]
    retry: int | None
    keepalive: float
    burst: int
    then: Then
    after: int | None
    last: int


class Events(UpstreamNode):
    """GET /events → 200 text/event-stream: four events, 100 ms apart, then the end.

    Their ids are 1 to 4; their types are message, update, message (with two lines of data) and complete.
    With ``count``, ``size`` or ``event``, events with the data ``Event <id>`` are generated instead. The
    parameters are:

    - ``count``: the number of events; 0 sends events until the client disconnects
    - ``interval``: seconds between two events; ``jitter``: the largest random deviation from this schedule,
      in seconds, drawn from random numbers with ``seed``
    - ``size``: bytes of data per event; ``event``: the event type; ``retry``: the reconnection time in
      milliseconds, sent with the first event
    - ``keepalive``: send a comment after so many seconds without an event
    - ``burst``: the number of events per write
    - ``then``: how the stream ends after ``after`` events of this response, or after the last event:
      ``close``, ``reset`` (RST), ``truncate`` (half an event, then FIN) or ``hang``
    - ``last_event_id``: start after this event. The header ``Last-Event-ID`` takes precedence, but is
      ignored if this stream has no event with that id

    204, which tells an EventSource to stop, if there are no events after that one. 400 for an invalid
    parameter.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_GET(self, request: Request) -> Reply | EventStream:
        wish = self._read(request)
        if wish.count and wish.last >= wish.count:
            return Reply(204, source=UPSTREAM)
        return self._env.streams.play(steps(wish), head())

    def _read(self, request: Request) -> Wish:
        given = Parameters(request)
        size, type = given.integer("size", 0, _MIB, None), given.line("event")
        seed = given.integer("seed", -(2**63), 2**63 - 1, None)
        count = given.integer("count", 0, 10**9, len(CLASSIC))
        last = given.integer("last_event_id", 0, _LARGEST_ID, 0)
        resumed = _own_id(request.getHeader(b"last-event-id"), count or _LARGEST_ID)
        wish = Wish(
            count=count,
            interval=given.seconds("interval", _YEAR, INTERVAL),
            jitter=given.seconds("jitter", _YEAR, 0.0),
            random=self._env.random if seed is None else Random(seed),
            make=partial(measured, size, type) if MEASURES & given.names else classic,
            retry=given.integer("retry", 0, 10**9, None),
            keepalive=given.seconds("keepalive", _YEAR, 0.0),
            burst=given.integer("burst", 1, 1000, 1),
            then=given.choice("then", ENDS, Then.CLOSE),
            after=given.integer("after", 0, 10**9, None),
            last=last if resumed is None else resumed,
        )
        given.refuse_others()
        if len(wish.make(1)) * wish.burst > 9 * _MIB:
            given.refuse("burst", f"of {wish.burst} is more than 9 MiB in one write")
        if 0 < wish.keepalive < 0.01:
            given.refuse("keepalive", "must be 0 or from 0.01 on")
        return wish


def _own_id(header: bytes | None, most: int) -> int | None:
    """Return the id in a Last-Event-ID ``header``, or None if it is not an integer from 1 to ``most``.

    A client may send the id of an event of another stream, which is not an error.
    """
    if header is None or not _ID.fullmatch(header):
        return None
    id = int(header)
    return id if id <= most else None


def classic(id: int) -> bytes:
    """Return the event ``id`` of CLASSIC, or a generated one if ``id`` is greater than 4."""
    return encode(CLASSIC[id - 1]) if id <= len(CLASSIC) else measured(None, None, id)


def measured(size: int | None, type: str | None, id: int) -> bytes:
    """Return an event with the data ``Event <id>``, padded or truncated to ``size`` bytes."""
    data = f"Event {id}"
    if size is not None:
        data = data.ljust(size, ".")[:size]
    return encode(Event(data, event=type, id=str(id)))


def steps(wish: Wish) -> Iterator[Step]:
    """Yield the writes of the stream, and its end."""
    most = wish.count - wish.last if wish.count else math.inf
    if wish.after is not None:
        most = min(most, wish.after)
    sent, id, pause, offset = 0, wish.last, 0.0, 0.0
    while sent < most:
        burst = int(min(wish.burst, most - sent))
        data = b"".join(wish.make(id + number) for number in range(1, burst + 1))
        if sent == 0 and wish.retry is not None:
            data = b"retry: %d\n" % wish.retry + data
        pause = yield from _keep_alive(pause, wish.keepalive)
        yield Step(pause, data)
        sent, id = sent + burst, id + burst
        previous, offset = offset, wish.random.uniform(-wish.jitter, wish.jitter) if wish.jitter else 0.0
        pause = max(0.0, wish.interval + offset - previous)
    if wish.then is Then.TRUNCATE:
        half = wish.make(id + 1)
        yield Step(0, half[: len(half) // 2])
    while wish.then is Then.HANG and wish.keepalive:
        yield Step(wish.keepalive, KEEP_ALIVE)
    yield Step(0, then=wish.then)


def _keep_alive(pause: float, keepalive: float) -> Generator[Step, None, float]:
    """Yield a comment every ``keepalive`` seconds of ``pause``; return the rest of the pause."""
    while keepalive and pause > keepalive:
        yield Step(keepalive, KEEP_ALIVE)
        pause -= keepalive
    return pause
