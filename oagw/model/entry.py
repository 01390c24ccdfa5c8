"""Entry: one request with its response; and the observers of entries.

The entrance opens an entry when the head of a request is complete. Later events are reported to the entry by
calling its methods, which note the time and call the observers. An entry keeps raw bytes, which are decoded
on use. ``model.journal`` stores entries.
"""

from collections.abc import Callable, Iterable
from itertools import count
from uuid import UUID

from oagw.model.call import Call, origin_form
from oagw.model.caller import Caller
from oagw.model.credstore import is_credstore, without_value
from oagw.model.ending import Ending

# Who sent the response.
GATEWAY, SERVICE, STUB, FAULT, UPSTREAM = ANSWERERS = ("gateway", "service", "stub", "fault", "upstream")

# How a response ended, as the journal shows it: one that hangs is open.
ENDINGS = (Ending.OPEN, Ending.COMPLETE, Ending.CLIENT_LEFT, Ending.TRUNCATE, Ending.RESET)
# Python 3.11 takes 0.1 µs to look up a member of an Enum; these names cost nothing.
OPEN, COMPLETE, CLIENT_LEFT, TRUNCATED, RESET = ENDINGS

# The number of bytes of a body that are kept.
MAX_BODY = 1 << 20

# The number of bytes of the head of a response that are kept.
MAX_HEAD = 16 << 10

# The id of an entry is this number plus that of the entry, as a UUID.
FIRST_ID = 0x0A6A_0000_0000_4000_8000_000000000000


class Observer:
    """The base class of observers: override the methods for the events of interest.

    They are called after the fields of the entry are updated. Observers must not change the fields.
    """

    def opened(self, entry: "Entry") -> None:
        """The head of the request is complete."""

    def received(self, entry: "Entry") -> None:
        """The request is complete, or no more of it will arrive."""

    def resolved(self, entry: "Entry") -> None:
        """The alias of the URL is known, or it is known that the URL does not exist."""

    def answered(self, entry: "Entry") -> None:
        """It is known who responds. This may change, for example if a toxic ends the response."""

    def head_sent(self, entry: "Entry") -> None:
        """The head of the response is written."""

    def wrote(self, entry: "Entry") -> None:
        """A part of the body of the response is written."""

    def ended(self, entry: "Entry") -> None:
        """The response has ended, in any way."""


class Observers:
    """The observers of one gateway. ``now`` and ``position`` give the time and the order of events.

    For each event, only the observers that override its method are called.
    """

    def __init__(
        self,
        observers: Iterable[Observer] = (),
        now: Callable[[], float] = lambda: 0.0,
        position: Callable[[], int] | None = None,
    ) -> None:
        observers = tuple(observers)

        def overriding(event: str) -> "tuple[Callable[[Entry], None], ...]":
            own = getattr(Observer, event)
            return tuple(getattr(one, event) for one in observers if getattr(type(one), event) is not own)

        self.now = now
        self.position = position or count(1).__next__
        self.opened = overriding("opened")
        self.received = overriding("received")
        self.resolved = overriding("resolved")
        self.answered = overriding("answered")
        self.head_sent = overriding("head_sent")
        self.wrote = overriding("wrote")
        self.ended = overriding("ended")


_NOBODY = Observers()
_UNKNOWN = Caller(None)


class Entry:
    """One request and its answer.

    Only its methods change the fields; the exception is ``weight``, which its journal sets.

    Times are in seconds of a monotonic clock, and None if the event has not happened:

    - ``time``: when the head of the request was complete; ``date``: the wall clock at that time, in seconds
      since 1970 (by default, both clocks are the same)
    - ``first_byte``, ``last_byte``: when the first and last bytes of the response were written
    - ``closed``: when the response ended, even if nothing was written
    - ``half_closed``: when the client closed its side of the connection, before ``closed``: it has left, or
      still waits for the response

    ``arrived``, ``began`` and ``over`` are positions in the order of events on all connections, for events at
    the same time: of the first byte of the request, and of the start and the end of the response. Bytes that
    the client sent before the response was written have a position before its end.

    Other fields:

    - ``connection``: the number of the connection, from 1; ``turn``: the number of the request on it
    - ``body``: the raw body, cut at MAX_BODY; ``body_size``: the number of bytes received; ``decoded_size``:
      with a content coding, the number of decoded bytes that are shown
    - ``matched``: False if there is no such alias or path
    - ``response_head``: the raw status line and header lines, cut at MAX_HEAD
    - ``sent``: the number of bytes of the response body; ``events``: the number of server-sent events
    - ``stub``: the id of the stub that responded; ``toxics``: the names of the toxics that took part
    - ``undecided``: the stubs and toxics that exceeded the time budget, as pairs of kind and name
    - ``secrets``: the tokens and secrets of the server, and ``concealed``: credentials of the upstream, which
      are never shown
    - ``weight``: the size in bytes that its journal counts; 0 if it is not in a journal
    """

    __slots__ = (
        "_observers",
        "alias",
        "answered_by",
        "arrived",
        "began",
        "body",
        "body_size",
        "caller",
        "client",
        "closed",
        "concealed",
        "connection",
        "date",
        "decoded_size",
        "ended",
        "events",
        "first_byte",
        "half_closed",
        "head",
        "last_byte",
        "local",
        "matched",
        "method",
        "number",
        "over",
        "response_head",
        "secrets",
        "sent",
        "status",
        "stub",
        "time",
        "toxics",
        "turn",
        "undecided",
        "url",
        "version",
        "weight",
    )

    def __init__(
        self,
        number: int,
        time: float,
        method: bytes,
        url: bytes,
        head: bytes,
        connection: int,
        turn: int,
        client: tuple[str, int],
        local: tuple[str, int],
        version: bytes = b"HTTP/1.1",
        date: float | None = None,
        arrived: int = 0,
        caller: Caller = _UNKNOWN,
        secrets: tuple[str, ...] = (),
        observers: Observers = _NOBODY,
    ) -> None:
        self._observers = observers
        self.number = number
        self.time = time
        self.date = time if date is None else date
        self.method = method
        self.url = url
        self.head = head
        self.connection = connection
        self.turn = turn
        self.client = client
        self.local = local
        self.caller = caller
        self.version = version
        self.body = b""
        self.body_size = 0
        self.decoded_size = 0
        self.alias: str | None = None
        self.answered_by = GATEWAY
        self.matched = True
        self.stub: str | None = None
        self.toxics: tuple[str, ...] = ()
        self.undecided: tuple[tuple[str, str], ...] = ()
        self.secrets = secrets
        self.concealed: tuple[str, ...] = ()
        self.status: int | None = None
        self.response_head = b""
        self.first_byte: float | None = None
        self.last_byte: float | None = None
        self.sent = 0
        self.events = 0
        self.ended: Ending = OPEN
        self.arrived = arrived
        self.began: int | None = None
        self.over: int | None = None
        self.closed: float | None = None
        self.half_closed: float | None = None
        self.weight = 0

    def opened(self) -> None:
        """The head of the request is complete."""
        for observe in self._observers.opened:
            observe(self)

    def received(self, body: bytes, coded: bool) -> None:
        """The request is complete with ``body``, or no more of it will arrive.

        ``coded`` is whether the body has a content coding.
        """
        if body:
            self.body_size = len(body)
            self.body = (without_value(body, coded) if is_credstore(self.url) else body)[:MAX_BODY]
            if coded:
                self.decoded_size = len(self.call().body)
        for observe in self._observers.received:
            observe(self)

    def resolved(self, alias: str | None, matched: bool = True) -> None:
        """The URL has this ``alias``; ``matched`` is whether the upstream or path exists."""
        self.alias = alias
        self.matched = matched
        for observe in self._observers.resolved:
            observe(self)

    def unmatched(self) -> None:
        """The URL does not exist."""
        self.resolved(self.alias, False)

    def answered(self, by: str, stub: str | None = None) -> None:
        """One of ANSWERERS responds; ``stub`` is the id if it is a stub."""
        self.answered_by = by
        if stub is not None:
            self.stub = stub
        for observe in self._observers.answered:
            observe(self)

    def conceal(self, *secrets: str) -> None:
        """Never show these ``secrets``: the gateway adds them to the request on its way to an upstream."""
        self.concealed = (*self.concealed, *secrets)

    def changed_by(self, toxics: tuple[str, ...]) -> None:
        """The toxics with these names have affected the response so far."""
        self.toxics = toxics

    def not_decided(self, what: Iterable[tuple[str, str]]) -> None:
        """These stubs and toxics, as pairs of kind and name, exceeded the time budget of matching."""
        self.undecided = (*self.undecided, *what)

    def begins(self) -> None:
        """The first byte of the response is written."""
        if self.first_byte is None:
            self.first_byte = self._observers.now()
            self.began = self._observers.position()

    def head_sent(self, head: bytes) -> None:
        """``head``, all or the beginning of the response's head without the blank line, is written."""
        if self.first_byte is None:
            self.first_byte = self._observers.now()
            self.began = self._observers.position()
        self.response_head = head
        for observe in self._observers.head_sent:
            observe(self)

    def wrote(self, now: float, sent: int, events: int) -> None:
        """A part of the body is written ``now``. ``sent`` and ``events`` are the totals so far."""
        self.last_byte = now
        self.sent = sent
        self.events = events
        for observe in self._observers.wrote:
            observe(self)

    def half_close(self) -> None:
        """The client has closed its side of the connection, and the response has not ended."""
        if self.half_closed is None and self.closed is None:
            self.half_closed = self._observers.now()

    def ends(self, how: Ending) -> None:
        """The response is being ended in the way ``how``, which takes precedence over that of ``end``."""
        if self.closed is None:
            self.ended = how

    def end(self, how: Ending, status: int | None, sent: int | None = None, wrote_end: bool = False) -> None:
        """The response has ended. Does nothing if it had ended before.

        ``status`` is None if nothing was written; ``sent`` is the number of bytes of the body, unless they
        were reported as they were written; ``wrote_end`` is whether the end of the body was written as well.
        """
        if self.closed is not None:
            return
        self.closed = now = self._observers.now()
        self.over = self._observers.position()
        if self.ended is OPEN:  # ``ends`` was not called
            self.ended = how
        if sent is not None:
            self.sent = sent
        if len(self.response_head) > MAX_HEAD:
            self.response_head = self.response_head[:MAX_HEAD]
        if status is not None and self.first_byte is not None:
            self.status = status
            if self.last_byte is None or wrote_end:
                self.last_byte = now
        for observe in self._observers.ended:
            observe(self)

    @property
    def id(self) -> str:
        """A UUID for this entry, unique in its gateway."""
        return str(UUID(int=FIRST_ID + self.number))

    def date_of(self, time: float) -> float:
        """Convert ``time`` to a date in seconds since 1970."""
        return self.date + (time - self.time)

    @property
    def source(self) -> str | None:
        """The value of X-OAGW-Error-Source in the response."""
        return next(iter(self.response_headers.get("x-oagw-error-source", ())), None)

    @property
    def response_headers(self) -> dict[str, list[str]]:
        """The header fields of the response: lists of values by lowercase name."""
        return Call("", "", self.response_head.partition(b"\r\n")[2]).headers

    def call(self) -> Call:
        """Return the request as a Call, to be matched; at most MAX_BODY bytes of a body are decoded."""
        call = Call(
            self.method.decode("latin-1"),
            origin_form(self.url).decode("utf-8", "replace"),
            self.head,
            self.body,
            client=self.client[0],
            host=self.local[0],
            port=self.local[1],
        )
        call.limit = MAX_BODY
        return call
