"""Search the journal for requests that match a pattern, or nearly match it.

Searches are limited in time and yield to other requests, because patterns may be slow and journals long.
"""

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, TypeVar

from oagw.matching.pattern import Pattern
from oagw.model.call import Call
from oagw.model.entry import Entry
from oagw.model.invalid import Invalid
from oagw.model.work import Work
from oagw.verify.serve_event import logged_request

T = TypeVar("T")

# The largest number of seconds for one search.
MAX_SECONDS = 3.0

# The number of near misses of a request or pattern, as in WireMock.
NEAREST = 3


class SearchableStub(Protocol):
    """The attributes of a stub that a search uses."""

    @property
    def pattern(self) -> Pattern:
        """The pattern of the requests that it answers."""

    def json(self) -> Any:
        """Return the mapping in WireMock's JSON format."""


class Candidate(NamedTuple):
    """A candidate for a near miss; ``distance`` is from 0 (it matches) to 1."""

    distance: float
    found: Any


class Search:
    """A search, limited to MAX_SECONDS of ``work`` in total."""

    def __init__(self, work: Work) -> None:
        self._work = work

    @property
    def over(self) -> bool:
        """Whether the time is used up."""
        return self._work.spent > MAX_SECONDS

    async def matching(self, pattern: Pattern, entries: Iterable[Entry], pointer: str = "") -> list[Entry]:
        """Return the ``entries`` that match ``pattern``, which is at ``pointer`` in the document.

        Dates such as ``now`` in the pattern are relative to the time of the request. Raises Invalid if it
        takes too long.
        """
        found = []
        for entry in entries:
            if self.over:
                raise Invalid(pointer, f"Matching takes too long: stopped after {MAX_SECONDS:g} s")
            await self._work.breathe()
            if pattern.matches(entry.call(), entry.date):
                found.append(entry)
        return found

    async def nearest_entries(self, pattern: Pattern, entries: Iterable[Entry]) -> list[Candidate]:
        """Return the NEAREST of ``entries`` to ``pattern``, nearest first; ties keep their order.

        The search stops when the time is used up.
        """
        return await self._nearest((pattern.distance(entry.call(), entry.date), entry) for entry in entries)

    async def nearest_stubs(
        self, call: Call, date: float, stubs: Iterable[SearchableStub]
    ) -> list[Candidate]:
        """Return the NEAREST of ``stubs`` to ``call``, which came at ``date``, nearest first."""
        return await self._nearest((stub.pattern.distance(call, date), stub) for stub in stubs)

    async def _nearest(self, all: Iterable[tuple[float, T]]) -> list[Candidate]:
        nearest: list[tuple[float, int, T]] = []
        for at, (distance, found) in enumerate(all):
            nearest = nsmallest(NEAREST, [*nearest, (distance, at, found)], key=itemgetter(0, 1))
            if self.over:
                break
            await self._work.breathe()
        return [Candidate(distance, found) for distance, _, found in nearest]


def near_miss(request: dict[str, Any], near: Candidate, pattern: Any = None) -> dict[str, Any]:
    """Return WireMock's NearMiss: a ``request``, the pattern or stub that is near, and the distance."""
    other = {"stubMapping": near.found.json()} if pattern is None else {"requestPattern": pattern}
    return {"request": request, **other, "matchResult": {"distance": near.distance}}


def near_requests(near: Iterable[Candidate], pattern: Any) -> Iterator[dict[str, Any]]:
    """Yield WireMock's NearMiss for each request that nearly matches ``pattern``."""
    return (near_miss(logged_request(one.found), one, pattern) for one in near)
