"""Memory: what the stubs and the journals of all sandboxes take together, and how much that may be.

Sizes are estimates in bytes. ``model.journal``, ``stubs`` and ``sandboxes`` report what they keep.
"""

from heapq import heapify, heappop, heapreplace
from typing import Protocol

from oagw.model.invalid import Invalid

MIB = 1 << 20

# What documents may take of it; journals have the rest, and what documents leave.
_FOR_DOCUMENTS = 3 / 4

# What is left free when journals forget entries, so that not every request makes them do so.
_SLACK = 1 / 32


class Bounded(Protocol):
    """A journal, as far as the bound on all journals concerns it."""

    @property
    def oldest(self) -> int | None:
        """The number of the oldest entry, which is less than those of newer ones; None without entries."""

    def forget_oldest(self) -> None:
        """Forget the oldest entry."""


class Memory:
    """The bound of ``limit`` bytes on all that tests leave in the server.

    ``documents`` says by kind what is kept of what test authors sent, such as stubs. More than three quarters
    of the limit for these is refused. ``journals`` are bounded by what documents leave: the oldest entries of
    all journals make room. ``recorded`` is what they take.
    """

    def __init__(self, limit: int) -> None:
        self.documents: dict[str, int] = {}
        self.journals: set[Bounded] = set()
        self._limit = limit
        self._kept = 0
        self.recorded = 0

    def keep(self, kind: str, size: int) -> None:
        """Count ``size`` more bytes of documents of this kind, or fewer if it is negative."""
        if size:
            self.documents[kind] = self.documents.get(kind, 0) + size
            self._kept += size
            self._bound_journals()

    def check(self, more: int) -> None:
        """Raise Invalid if ``more`` bytes of documents cannot be kept."""
        if (shortage := self.shortage(more)) is not None:
            raise Invalid("", shortage)

    def shortage(self, more: int) -> str | None:
        """Why ``more`` bytes of documents cannot be kept, as a sentence; None if they can."""
        used, bound = self._kept, int(self._limit * _FOR_DOCUMENTS)
        if more <= 0 or used + more <= bound:
            return None
        kinds = [f"{kind} {_mib(size)}" for kind, size in sorted(self.documents.items()) if size]
        listed = f" ({', '.join(kinds)})" if kinds else ""
        return (
            f"Out of memory: this takes {_mib(more)} more, what is kept takes {_mib(used)}{listed}, and "
            f"{_mib(bound)} are allowed, three quarters of --memory-limit {self._limit // MIB} (in MiB). "
            "Delete stubs, toxics or sandboxes, or raise the limit"
        )

    def record(self, size: int) -> None:
        """Count ``size`` more bytes of entries in journals, or fewer if it is negative."""
        self.recorded += size
        self._bound_journals()

    def _bound_journals(self) -> None:
        if self._kept + self.recorded <= self._limit:
            return
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
