"""GET /events: an event stream whose length, pace and end the request selects."""

import math
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from random import Random

from twisted.web.server import Request

from oagw.model.ending import ENDINGS_BY_NAME, Ending
from oagw.model.sse import Event, encode
from oagw.services import Env, UpstreamNode
from oagw.services._parameters import Parameters
from oagw.web.reply import UPSTREAM, Reply
from oagw.web.stream import Chunk, Stream, head

# Seconds between two events.
INTERVAL = 0.1

CLASSIC = (
    Event("First event", event="message", id="1"),
    Event("Second event", event="update", id="2"),
    Event("Third event with\nmultiple lines", event="message", id="3"),
    Event("Final event", event="complete", id="4"),
)

KEEP_ALIVE = b": keep-alive\n\n"

ENDINGS = {name: ENDINGS_BY_NAME[name] for name in ("close", "reset", "hang", "truncate")}

# With one of these parameters, the events are generated instead of taken from CLASSIC.
MEASURES = frozenset(("count", "size", "event"))

_LARGEST_ID = 10**18
_ID = re.compile(rb"[1-9]\d{0,18}")

_YEAR = 365 * 86400
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EventOptions:
    """The options of an event stream; see Events for their meaning."""

    count: int
    interval: float
    jitter: float
    random: Random | None  # of the jitter
    make: Callable[[int], bytes]
    retry: int | None
    keepalive: float
    burst: int
    ending: Ending
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
    - ``keepalive``: send a comment after this number of seconds without an event
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

    def render_GET(self, request: Request) -> Reply | Stream:
        options = self._read(request)
        if options.count and options.last >= options.count:
            return Reply(204, source=UPSTREAM)
        endless = not options.count and options.after is None
        return self._env.streams.play(chunks(options), head(), endless=endless)

    def _read(self, request: Request) -> EventOptions:
        given = Parameters(request)
        size, type = given.integer("size", 0, _MIB, None), given.line("event")
        seed = given.integer("seed", -(2**63), 2**63 - 1, None)
        count = given.integer("count", 0, 10**9, len(CLASSIC))
        last = given.integer("last_event_id", 0, _LARGEST_ID, 0)
        resumed = _own_id(request.getHeader(b"last-event-id"), count or _LARGEST_ID)
        jitter = given.seconds("jitter", _YEAR, 0.0)
        random = None if not jitter else self._env.random(request) if seed is None else Random(seed)
        options = EventOptions(
            count=count,
            interval=given.seconds("interval", _YEAR, INTERVAL),
            jitter=jitter,
            random=random,
            make=measured(size, type) if MEASURES & given.names else classic,
            retry=given.integer("retry", 0, 10**9, None),
            keepalive=given.seconds("keepalive", _YEAR, 0.0),
            burst=given.integer("burst", 1, 1000, 1),
            ending=given.choice("then", ENDINGS, Ending.COMPLETE),
            after=given.integer("after", 0, 10**9, None),
            last=last if resumed is None else resumed,
        )
        given.refuse_others()
        if len(options.make(1)) * options.burst > 9 * _MIB:
            given.refuse("burst", f"of {options.burst} is more than 9 MiB in one write")
        if 0 < options.keepalive < 0.01:
            given.refuse("keepalive", "must be 0, or 0.01 or greater")
        return options


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
    return _CLASSIC[id - 1] if id <= len(CLASSIC) else _measured(id)


def measured(size: int | None, type: str | None) -> Callable[[int], bytes]:
    """Return a function that makes events: their data is ``Event <id>``, padded or cut to ``size`` bytes."""
    name = "" if type is None else f"event: {type}\n"
    if size is None:
        form = b"id: %d\n" + name.encode().replace(b"%", b"%%") + b"data: Event %d\n\n"
        return lambda id: form % (id, id)
    return lambda id: f"id: {id}\n{name}data: {f'Event {id}'.ljust(size, '.')[:size]}\n\n".encode()


_CLASSIC = tuple(map(encode, CLASSIC))
_measured = measured(None, None)


def chunks(options: EventOptions) -> Iterator[Chunk]:
    """Yield the chunks of the stream, and its end."""
    most = options.count - options.last if options.count else math.inf
    if options.after is not None:
        most = min(most, options.after)
    sent, id, pause, offset = 0, options.last, 0.0, 0.0
    while sent < most:
        burst = int(min(options.burst, most - sent))
        data = (
            options.make(id + 1) if burst == 1 else b"".join(map(options.make, range(id + 1, id + burst + 1)))
        )
        if sent == 0 and options.retry is not None:
            data = b"retry: %d\n" % options.retry + data
        if options.keepalive:
            pause = yield from _keep_alive(pause, options.keepalive)
        yield Chunk(pause, data, burst)
        sent, id = sent + burst, id + burst
        previous, offset = offset, 0.0
        if options.random:
            offset = options.random.uniform(-options.jitter, options.jitter)
        pause = max(0.0, options.interval + offset - previous)
    if options.ending is Ending.TRUNCATE:
        half = options.make(id + 1)
        yield Chunk(0, half[: len(half) // 2], 0)
    while options.ending is Ending.HANG and options.keepalive:
        yield Chunk(options.keepalive, KEEP_ALIVE, 0)
    yield Chunk(0, ending=options.ending)


def _keep_alive(pause: float, keepalive: float) -> Generator[Chunk, None, float]:
    """Yield a comment every ``keepalive`` seconds of ``pause``; return the rest of the pause."""
    while pause > keepalive:
        yield Chunk(keepalive, KEEP_ALIVE, 0)
        pause -= keepalive
    return pause
