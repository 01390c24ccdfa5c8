"""The journal: the bounded record of what clients sent and what became of it.

``model.entry`` has the entries.
"""

from collections import deque
from collections.abc import Iterable, Iterator
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
            self._trim()

    def get(self, id: str) -> Entry | None:
        """The entry with this id, a UUID in any spelling; raises ValueError for what is none."""
        number = UUID(id).int - FIRST_ID
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

    def close(self) -> None:
        """Forget all entries, and keep no more."""
        self.clear()
        self._count = 0
        self._memory.journals.discard(self)

    def _trim(self) -> None:
        while len(self._entries) > self._count or self._weight > self._size:
            self.forget_oldest()

    def _forget(self, entry: Entry) -> None:
        self._memory.record(-entry.weight)
        self._weight -= entry.weight
        entry.weight = 0
