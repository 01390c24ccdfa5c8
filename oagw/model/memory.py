"""Memory: the limit on the memory of the stubs and journals of all sandboxes together.

Sizes are estimates in bytes. Journals and stores report what they keep.
"""

from heapq import heapify, heappop, heapreplace
from typing import Protocol

from oagw.model.invalid import Invalid

MIB = 1 << 20

# The share of documents; journals may use the rest, and what documents leave.
_FOR_DOCUMENTS = 3 / 4

# The share that is freed when journals drop entries, so that this does not happen for every request.
_SLACK = 1 / 32


class Bounded(Protocol):
    """The part of a journal's interface that enforcing the limit needs."""

    @property
    def oldest(self) -> int | None:
        """The number of the oldest entry, None if there is none. Newer entries have greater numbers."""

    def forget_oldest(self) -> None:
        """Drop the oldest entry."""


class Memory:
    """The limit, in bytes, on everything that tests leave in the server.

    ``documents`` has the size of stored documents, such as stubs, by kind. They may take three quarters of
    the limit; more are rejected. ``journals`` may take the rest: the oldest entries of all journals are
    dropped to make room. ``recorded`` is the size of these entries.
    """

    def __init__(self, limit: int) -> None:
        self.documents: dict[str, int] = {}
        self.journals: set[Bounded] = set()
        self._limit = limit
        self._kept = 0
        self.recorded = 0

    def keep(self, kind: str, size: int) -> None:
        """Add ``size`` bytes, which may be negative, to the documents of this kind."""
        if size:
            self.documents[kind] = self.documents.get(kind, 0) + size
            self._kept += size
            if self._kept + self.recorded > self._limit:
                self._bound_journals()

    def check(self, more: int) -> None:
        """Raise Invalid if ``more`` bytes of documents cannot be kept."""
        if (shortage := self.shortage(more)) is not None:
            raise Invalid("", shortage)

    def shortage(self, more: int) -> str | None:
        """Return a sentence that says why ``more`` bytes of documents do not fit; None if they do."""
        used, bound = self._kept, int(self._limit * _FOR_DOCUMENTS)
        if more <= 0 or used + more <= bound:
            return None
        kinds = [f"{kind} {_mib(size)}" for kind, size in sorted(self.documents.items()) if size]
        listed = f" ({', '.join(kinds)})" if kinds else ""
        return (
            f"Out of memory: this takes {_mib(more)} more, {_mib(used)}{listed} are in use, and "
            f"{_mib(bound)} are allowed, three quarters of --memory-limit {self._limit // MIB} (in MiB). "
            "Delete stubs, toxics or sandboxes, or raise the limit"
        )

    def record(self, size: int) -> None:
        """Add ``size`` bytes, which may be negative, to the entries in journals."""
        self.recorded += size
        if self._kept + self.recorded > self._limit:
            self._bound_journals()

    def _bound_journals(self) -> None:
        """Drop the oldest entries of all journals, to be within the limit again."""
        goal = int(self._limit * (1 - _SLACK)) - self._kept
        by_age = [
            (oldest, id(journal), journal)
            for journal in self.journals
            if (oldest := journal.oldest) is not None
        ]
        heapify(by_age)
        while by_age and self.recorded > goal:
            journal = by_age[0][2]
            journal.forget_oldest()
            oldest = journal.oldest
            if oldest is None:
                heappop(by_age)
            else:
                heapreplace(by_age, (oldest, id(journal), journal))


def _mib(size: int) -> str:
    return f"{size / MIB:.1f} MiB"
