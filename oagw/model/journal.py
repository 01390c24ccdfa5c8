"""The journal: the bounded record of what clients sent and what became of it.

``model.entry`` has the entries.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from oagw.model.entry import (
    ANSWERERS,
    CLIENT_LEFT,
    COMPLETE,
    ENDINGS,
    FAULT,
    FIRST_ID,
    GATEWAY,
    MAX_HEAD,
    OPEN,
    RESET,
    SERVICE,
    STUB,
    TRUNCATED,
    Entry,
)
from oagw.model.memory import Memory

__all__ = [
    "ANSWERERS",
    "CLIENT_LEFT",
    "COMPLETE",
    "ENDINGS",
    "FAULT",
    "GATEWAY",
    "MAX_HEAD",
    "OPEN",
    "RESET",
    "SERVICE",
    "STUB",
    "TRUNCATED",
    "Entry",
    "Journal",
    "Pin",
    "number_of",
]

# What an entry takes besides its head and body, in bytes, roughly.
_OVERHEAD = 1000


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
    return UUID(id).int - FIRST_ID


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
