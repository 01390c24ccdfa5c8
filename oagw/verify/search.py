"""Looking through the journal: what matches a pattern, and what nearly does.

All of it is bounded in time, and lets others have a turn: a pattern may be costly, and a journal long.
"""

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, TypeVar

from oagw.matching.pattern import Pattern
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.journal import Entry
from oagw.model.work import Work
from oagw.verify.serve_event import logged_request

T = TypeVar("T")

# Seconds that one look through the journal may take.
MAX_SECONDS = 3.0

# Near misses of one request or pattern that are told, as in WireMock.
NEAREST = 3


class SearchableStub(Protocol):
    """The attributes of a stub that a search uses."""

    @property
    def pattern(self) -> Pattern:
        """The requests that it answers."""

    def json(self) -> Any:
        """The mapping as WireMock shows it."""


class Near(NamedTuple):
    """Something that does not match, or not quite: ``distance`` is from 0 (it does) to 1."""

    distance: float
    found: Any


class Search:
    """One look through a journal, which may take MAX_SECONDS of ``work`` in all."""

    def __init__(self, work: Work) -> None:
        self._work = work

    @property
    def over(self) -> bool:
        """Whether it has taken too long."""
        return self._work.spent > MAX_SECONDS

    async def matching(self, pattern: Pattern, entries: Iterable[Entry], pointer: str = "") -> list[Entry]:
        """Those of ``entries`` that match ``pattern``, which was found at ``pointer``; raises Invalid if
        that takes too long.

        Dates in the pattern such as ``now`` are those of the time when the request came.
        """
        found = []
        for entry in entries:
            if self.over:
                raise Invalid(pointer, f"matching takes too long: given up after {MAX_SECONDS:g} s")
            await self._work.breathe()
            if pattern.matches(entry.call(), entry.date):
                found.append(entry)
        return found

    async def nearest_entries(self, pattern: Pattern, entries: Iterable[Entry]) -> list[Near]:
        """The NEAREST of ``entries`` to ``pattern``, the nearest first, and the newest of those as near.

        What there is no more time for is left out.
        """
        return await self._nearest((pattern.distance(entry.call(), entry.date), entry) for entry in entries)

    async def nearest_stubs(self, call: Call, date: float, stubs: Iterable[SearchableStub]) -> list[Near]:
        """The NEAREST of ``stubs`` to ``call``, which came at ``date``, the nearest first."""
        return await self._nearest((stub.pattern.distance(call, date), stub) for stub in stubs)

    async def _nearest(self, all: Iterable[tuple[float, T]]) -> list[Near]:
        nearest: list[tuple[float, int, T]] = []
        for at, (distance, found) in enumerate(all):
            nearest = nsmallest(NEAREST, [*nearest, (distance, at, found)], key=itemgetter(0, 1))
            if self.over:
                break
            await self._work.breathe()
        return [Near(distance, found) for distance, _, found in nearest]


def near_miss(request: dict[str, Any], near: Near, pattern: Any = None) -> dict[str, Any]:
    """WireMock's NearMiss: a ``request``, the pattern or else the stub that it is near to, and how near."""
    other = {"stubMapping": near.found.json()} if pattern is None else {"requestPattern": pattern}
    return {"request": request, **other, "matchResult": {"distance": near.distance}}


def near_requests(near: Iterable[Near], pattern: Any) -> Iterator[dict[str, Any]]:
    """NearMisses of requests to ``pattern``, as WireMock's JSON, made as they are needed."""
    return (near_miss(logged_request(one.found), one, pattern) for one in near)
