"""The journal: a bounded record of requests and their responses, the entries of ``model.entry``."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from oagw.model.entry import FIRST_ID, Entry
from oagw.model.memory import Memory

# The approximate size of an entry without its head and body, in bytes.
_OVERHEAD = 1000


class Journal:
    """Keeps the newest entries: at most ``count`` of them, and about ``size`` bytes in all.

    ``dropped`` is whether it has dropped older ones since it was last cleared. ``memory`` bounds the total
    size of all journals.
    """

    def __init__(self, count: int, size: int, memory: Memory | None = None) -> None:
        self._count = count
        self._size = size
        self._memory = Memory(size) if memory is None else memory
        self._memory.journals.add(self)
        self.watchers: set[Callable[[], object]] = set()  # called when an entry is added, or answered
        self._entries: deque[Entry] = deque()
        self._weight = 0
        self.dropped = False
        self._pins: set[Pin] = set()
        self._readers: dict[Entry, int] = {}  # how many pins hold each entry
        self._lingering: set[Entry] = set()  # removed, but still pinned
        self._lingering_weight = 0

    @property
    def disabled(self) -> bool:
        """Whether it never keeps any entries."""
        return self._count == 0

    def __iter__(self) -> Iterator[Entry]:
        """Iterate over the entries, oldest first."""
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def oldest(self) -> int | None:
        """The number of the oldest entry."""
        return self._entries[0].number if self._entries else None

    def add(self, entry: Entry) -> None:
        """Add ``entry``, whose request is complete; drop the oldest entries to make room."""
        weight = _OVERHEAD + len(entry.head) + len(entry.url)
        if entry.body:
            weight += max(len(entry.body), entry.decoded_size)  # the number of bytes that a list shows
        entry.weight = weight
        self._weight += weight
        self._entries.append(entry)
        self._memory.record(weight)
        if len(self._entries) > self._count or self._weight > self._size:
            self._trim()
        if self.watchers:
            self._notify()

    def answered(self, entry: Entry) -> None:
        """Count the head of the response to ``entry`` too, if it is unusually large."""
        more = len(entry.response_head) - _OVERHEAD
        if more > 0 and entry.weight:
            entry.weight += more
            self._weight += more
            self._memory.record(more)
            if entry in self._lingering:
                self._lingering_weight += more
            self._trim()
        if self.watchers and entry.weight:
            self._notify()

    def get(self, id: str) -> Entry | None:
        """Return the entry with this id, or None; raises ValueError if ``id`` is not a UUID."""
        number = number_of(id)
        return next((entry for entry in self._entries if entry.number == number), None)

    def remove(self, entries: Iterable[Entry]) -> None:
        """Remove ``entries``."""
        gone = set(entries)
        all, self._entries = self._entries, deque()
        for entry in all:
            if entry in gone:
                self._forget(entry)
            else:
                self._entries.append(entry)

    def clear(self) -> None:
        """Remove all entries."""
        self.remove(self._entries)
        self.dropped = False

    def forget_oldest(self) -> None:
        """Drop the oldest entry."""
        self._forget(self._entries.popleft())
        self.dropped = True
        if self._lingering_weight > self._size // 2:
            for pin in list(self._pins):
                pin.break_off()

    def pin(self, entries: Iterable[Entry]) -> "Pin":
        """Count the size of ``entries``, which are being read, until the Pin is released, even if removed."""
        pin = Pin(self, list(entries))
        self._pins.add(pin)
        for entry in pin.entries:
            self._readers[entry] = self._readers.get(entry, 0) + 1
        return pin

    def unpin(self, pin: "Pin") -> None:
        """Stop counting the entries of ``pin``. Called by ``Pin.release``."""
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
        """Remove all entries, and keep no new ones."""
        self.clear()
        self._count = 0
        self._memory.journals.discard(self)

    def _notify(self) -> None:
        for watcher in tuple(self.watchers):
            watcher()

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
    """Return the number of the entry with this id; raises ValueError if ``id`` is not a UUID."""
    return UUID(id).int - FIRST_ID


class Pin:
    """Journal entries that are being read; see ``Journal.pin``.

    ``interrupt`` is called to stop reading if the journal needs their memory for new entries.
    """

    def __init__(self, journal: Journal, entries: list[Entry]) -> None:
        self.entries = entries
        self.interrupt: Callable[[], object] = lambda: None
        self._journal = journal

    def release(self) -> None:
        """Release the entries. Further calls do nothing."""
        self._journal.unpin(self)

    def break_off(self) -> None:
        """Release the entries and stop reading. Called by the journal if it needs their memory."""
        self.release()
        self.interrupt()
