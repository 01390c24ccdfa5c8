"""Entry: one request and what became of it; and those who observe it.

The entrance opens an entry when the head of a request is complete. From then on, whatever happens is reported
to the entry through its methods, which date the event and call the observers. It keeps bytes as they came:
reading them is left to whoever asks. ``model.journal`` is the record of entries.
"""

from collections.abc import Callable, Iterable
from itertools import count
from uuid import UUID

from oagw.model.call import Call, origin_form
from oagw.model.caller import Caller

# Who answered.
GATEWAY, SERVICE, STUB, FAULT = ANSWERERS = ("gateway", "service", "stub", "fault")

# How an answer ended.
OPEN = "open"  # it has not
COMPLETE = "complete"
CLIENT_LEFT = "client_left"  # the client closed the connection before the end
TRUNCATED = "truncated"  # we closed the connection before the end
RESET = "reset"  # we reset the connection
ENDINGS = (OPEN, COMPLETE, CLIENT_LEFT, TRUNCATED, RESET)

# Bytes of a body that are kept.
MAX_BODY = 1 << 20

# Bytes of the head of an answer that are kept.
MAX_HEAD = 16 << 10

# The ids of entries count from here.
FIRST_ID = 0x0A6A_0000_0000_4000_8000_000000000000


class Observer:
    """What is called when something happens to an entry; override the methods of the events that matter.

    The fields of the entry are up to date by then. Observers must not change them.
    """

    def opened(self, entry: "Entry") -> None:
        """The head of the request is complete."""

    def received(self, entry: "Entry") -> None:
        """The request is complete, or as much of it as will come."""

    def resolved(self, entry: "Entry") -> None:
        """The alias of the URL is known, or that there is nothing at the URL."""

    def answered(self, entry: "Entry") -> None:
        """It is decided who answers; this may change, for example when a toxic ends the answer."""

    def head_sent(self, entry: "Entry") -> None:
        """The head of the answer is written."""

    def wrote(self, entry: "Entry") -> None:
        """A part of the body of an answer that is sent over time is written."""

    def ended(self, entry: "Entry") -> None:
        """The answer has ended, in whatever way."""


class Observers:
    """The observers of the entries of one gateway, with the clock and the order by which events are dated.

    An event costs nothing for observers that do not override its method.
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

    Only the methods below change the fields, except that its journal sets ``weight``.

    Times are the seconds of a clock that never steps, None for what has not happened: ``time`` when the head
    of the request was complete, ``first_byte`` and ``last_byte`` when the answer's first and last bytes were
    written. Their differences are durations. ``date`` is the wall clock's time at ``time``, in seconds since
    1970; by default the two clocks are the same one.
    ``connection`` numbers connections from 1, ``turn`` the requests on one. ``body`` is what came over the
    wire, cut at MAX_BODY, ``body_size`` is as much of it as came; with a content coding, ``decoded_size`` is
    how many bytes of it are shown. ``matched`` is False when there was no such alias or path.
    ``response_head`` is the status line and the header lines as sent, cut at MAX_HEAD.
    ``weight`` is what it counts for in its journal, in bytes; 0 when it is not in one.
    ``sent`` counts bytes of the answer's body, ``events`` server-sent events. ``stub`` is the id of the stub
    that answered; ``toxics`` are the names of those that had a part in it; ``undecided`` are the stubs and
    toxics that were not matched within the time budget, a kind and a name each. ``secrets`` are the server's
    own tokens, which are shown nowhere.

    Where time does not tell, the order of events on all connections does: ``arrived``, ``began`` and ``over``
    are positions in it, of the first byte of the request and of the begin and the end of the answer; None for
    what has not happened. What was sent before the answer was written has arrived before its end. ``closed``
    is the time of that end, whether or not anything was written.
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
        "connection",
        "date",
        "decoded_size",
        "ended",
        "events",
        "first_byte",
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
        self.status: int | None = None
        self.response_head = b""
        self.first_byte: float | None = None
        self.last_byte: float | None = None
        self.sent = 0
        self.events = 0
        self.ended = OPEN
        self.arrived = arrived
        self.began: int | None = None
        self.over: int | None = None
        self.closed: float | None = None
        self.weight = 0

    def opened(self) -> None:
        """The head of the request is complete."""
        for observe in self._observers.opened:
            observe(self)

    def received(self, body: bytes, coded: bool) -> None:
        """The request is complete with ``body``, or that is all of it that will come.

        ``coded`` is whether the body has a content coding.
        """
        if body:
            self.body_size = len(body)
            self.body = body[:MAX_BODY]
            if coded:
                self.decoded_size = len(self.call().body)
        for observe in self._observers.received:
            observe(self)

    def resolved(self, alias: str | None, matched: bool = True) -> None:
        """The URL has this ``alias``; ``matched`` is whether there is such an upstream or path."""
        self.alias = alias
        self.matched = matched
        for observe in self._observers.resolved:
            observe(self)

    def unmatched(self) -> None:
        """There is nothing at the URL."""
        self.resolved(self.alias, False)

    def answered(self, by: str, stub: str | None = None) -> None:
        """One of ANSWERERS answers; if it is a stub, the one with the id ``stub``."""
        self.answered_by = by
        if stub is not None:
            self.stub = stub
        for observe in self._observers.answered:
            observe(self)

    def changed_by(self, toxics: tuple[str, ...]) -> None:
        """The toxics of these names have a part in the answer so far."""
        self.toxics = toxics

    def not_decided(self, what: Iterable[tuple[str, str]]) -> None:
        """These stubs and toxics, a kind and a name each, were not matched within the time budget."""
        self.undecided = (*self.undecided, *what)

    def begins(self) -> None:
        """The first byte of the answer is written."""
        if self.first_byte is None:
            self.first_byte = self._observers.now()
            self.began = self._observers.position()

    def head_sent(self, head: bytes) -> None:
        """The ``head`` of the answer, or so much of it, is written, without the blank line."""
        if self.first_byte is None:
            self.first_byte = self._observers.now()
            self.began = self._observers.position()
        self.response_head = head
        for observe in self._observers.head_sent:
            observe(self)

    def wrote(self, now: float, sent: int, events: int) -> None:
        """A part of the body is written ``now``; with it, ``sent`` bytes and ``events`` events are."""
        self.last_byte = now
        self.sent = sent
        self.events = events
        for observe in self._observers.wrote:
            observe(self)

    def ends(self, how: str) -> None:
        """The answer is being ended in this way, whatever the end of the connection looks like."""
        if self.closed is None:
            self.ended = how

    def end(self, how: str, status: int | None, sent: int, wrote_end: bool = False) -> None:
        """The answer has ended, unless it had before.

        ``status`` is None if nothing was written; ``sent`` counts the bytes of the body, ``wrote_end`` is
        whether its end was written too.
        """
        if self.closed is not None:
            return
        self.closed = now = self._observers.now()
        self.over = self._observers.position()
        if self.ended is OPEN:  # and not said to end otherwise
            self.ended = how
        self.sent = sent or self.sent
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
        """The date of ``time``, in seconds since 1970, counted from that of the request."""
        return self.date + (time - self.time)

    @property
    def source(self) -> str | None:
        """Who the answer said it was from: the value of X-OAGW-Error-Source."""
        return next(iter(self.response_headers.get("x-oagw-error-source", ())), None)

    @property
    def response_headers(self) -> dict[str, list[str]]:
        """The values of each header field of the answer, by its name in lower case."""
        return Call("", "", self.response_head.partition(b"\r\n")[2]).headers

    def call(self) -> Call:
        """What the client sent, to be matched; of a body with a content coding at most MAX_BODY bytes."""
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
