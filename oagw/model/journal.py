"""The journal: the bounded record of what clients sent and what became of it.

An Entry is opened when the head of a request is complete (``web.request``), filled by whoever answers, and
closed when the answer has ended. It keeps bytes as they came: reading them is left to whoever asks.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from oagw.model.call import Call, origin_form
from oagw.model.memory import Memory

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

# What an entry takes besides its head and body, in bytes, roughly.
_OVERHEAD = 1000

# The ids of entries count from here.
_IDS = 0x0A6A_0000_0000_4000_8000_000000000000


class Entry:
    """One request and its answer.

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
        "alias",
        "answered_by",
        "arrived",
        "began",
        "body",
        "body_size",
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
    ) -> None:
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
        self.secrets: tuple[str, ...] = ()
        self.status: int | None = None
        self.response_head = b""
        self.first_byte: float | None = None
        self.last_byte: float | None = None
        self.sent = 0
        self.events = 0
        self.ended = OPEN
        self.arrived = 0
        self.began: int | None = None
        self.over: int | None = None
        self.closed: float | None = None
        self.weight = 0

    @property
    def id(self) -> str:
        """A UUID for this entry, unique in its gateway."""
        return str(UUID(int=_IDS + self.number))

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


class Journal:
    """The newest entries: at most ``count`` of them, and about ``size`` bytes in all.

    ``dropped`` says whether others have made room since it was last cleared. ``memory`` bounds all journals
    together.
    """

    def __init__(self, count: int, size: int, memory: Memory | None = None) -> None:
        self._count = count
        self._size = size
        self._memory = Memory(size) if memory is None else memory
        self._memory.journals.add(self)
        self._entries: deque[Entry] = deque()
        self._weight = 0
        self.dropped = False
        self._pins: set[Pin] = set()
        self._readers: dict[Entry, int] = {}  # how many pins hold each entry
        self._lingering: set[Entry] = set()  # that are removed, but still pinned
        self._lingering_weight = 0

    @property
    def disabled(self) -> bool:
        """Whether nothing is ever kept."""
        return self._count == 0

    def __iter__(self) -> Iterator[Entry]:
        """The entries, the oldest first."""
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def oldest(self) -> int | None:
        """The number of the oldest entry."""
        return self._entries[0].number if self._entries else None

    def add(self, entry: Entry) -> None:
        """Keep ``entry``, whose request is complete; the oldest make room."""
        body = max(len(entry.body), entry.decoded_size)  # as much as a listing shows
        entry.weight = _OVERHEAD + len(entry.head) + len(entry.url) + body
        self._weight += entry.weight
        self._entries.append(entry)
        self._memory.record(entry.weight)
        self._trim()

    def answered(self, entry: Entry) -> None:
        """Count the head of the answer to ``entry`` as well, if that is larger than most."""
        more = len(entry.response_head) - _OVERHEAD
        if more > 0 and entry.weight:
            entry.weight += more
            self._weight += more
            self._memory.record(more)
            if entry in self._lingering:
                self._lingering_weight += more
            self._trim()

    def get(self, id: str) -> Entry | None:
        """The entry with this id, a UUID in any spelling; raises ValueError for what is none."""
        number = number_of(id)
        return next((entry for entry in self._entries if entry.number == number), None)

    def remove(self, entries: Iterable[Entry]) -> None:
        """Forget ``entries``."""
        gone = set(entries)
        all, self._entries = self._entries, deque()
        for entry in all:
            if entry in gone:
                self._forget(entry)
            else:
                self._entries.append(entry)

    def clear(self) -> None:
        """Forget all entries."""
        self.remove(self._entries)
        self.dropped = False

    def forget_oldest(self) -> None:
        """Forget the oldest entry."""
        self._forget(self._entries.popleft())
        self.dropped = True
        if self._lingering_weight > self._size // 2:
            for pin in list(self._pins):
                pin.break_off()

    def pin(self, entries: Iterable[Entry]) -> "Pin":
        """Count ``entries``, which are being read, until the Pin is released, even if they are removed."""
        pin = Pin(self, list(entries))
        self._pins.add(pin)
        for entry in pin.entries:
            self._readers[entry] = self._readers.get(entry, 0) + 1
        return pin

    def unpin(self, pin: "Pin") -> None:
        """Release ``pin``. Called by it."""
        if pin not in self._pins:
            return
        self._pins.discard(pin)
        for entry in pin.entries:
            self._readers[entry] -= 1
            if not self._readers[entry]:
                del self._readers[entry]
                if entry in self._lingering:
                    self._lingering.discard(entry)
                    self._lingering_weight -= entry.weight
                    self._uncount(entry)

    def close(self) -> None:
        """Forget all entries, and keep no more."""
        self.clear()
        self._count = 0
        self._memory.journals.discard(self)

    def _trim(self) -> None:
        while self._entries and (len(self._entries) > self._count or self._weight > self._size):
            self.forget_oldest()

    def _forget(self, entry: Entry) -> None:
        if entry in self._readers:
            self._lingering.add(entry)
            self._lingering_weight += entry.weight
        else:
            self._uncount(entry)

    def _uncount(self, entry: Entry) -> None:
        self._memory.record(-entry.weight)
        self._weight -= entry.weight
        entry.weight = 0


def number_of(id: str) -> int:
    """The number of the entry with this id, a UUID in any spelling; raises ValueError for what is none."""
    return UUID(id).int - _IDS


class Pin:
    """Entries of a journal that are being read; see ``Journal.pin``.

    ``interrupt`` stops the reading. It is called if the entries take the room that new ones need.
    """

    def __init__(self, journal: Journal, entries: list[Entry]) -> None:
        self.entries = entries
        self.interrupt: Callable[[], object] = lambda: None
        self._journal = journal

    def release(self) -> None:
        """Say that the entries are read. More than one call does no harm."""
        self._journal.unpin(self)

    def break_off(self) -> None:
        """Stop the reading, because the entries take the room of new ones. Called by the journal."""
        self.release()
        self.interrupt()
