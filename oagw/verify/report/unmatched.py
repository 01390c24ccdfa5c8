"""Requests that neither a stub, a service nor the gateway could answer, each with the stub nearest to it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from oagw.model.entry import Entry
from oagw.model.redacted import known_secrets
from oagw.model.work import Work
from oagw.verify.explanation import comparison, pattern_text, summary
from oagw.verify.search import Candidate, Search

# The largest number of requests that are listed.
MAX_UNMATCHED = 10


class Unmatched(Struct, frozen=True, omit_defaults=True):
    """A request that nothing could answer.

    ``request`` is its id, ``stub`` the id of the nearest stub. ``text`` explains in which fields they differ.
    """

    request: str
    text: str
    stub: str | None = None


async def unmatched(entries: Iterable[Entry], stubs: Sequence[Any], work: Work) -> list[Unmatched]:
    """Return the first MAX_UNMATCHED of ``entries`` that nothing could answer, each method and URL once.

    ``stubs`` are those that callers of the sandbox use. The search is limited in time; requests that it does
    not reach are returned without a stub.
    """
    search = Search(work)
    first: dict[tuple[bytes, bytes], list[Entry]] = {}
    for entry in entries:
        await work.breathe()
        if not entry.matched:
            first.setdefault((entry.method, entry.url), []).append(entry)
    found = []
    for same in list(first.values())[:MAX_UNMATCHED]:
        entry = same[0]
        near = [] if search.over else await search.nearest_stubs(entry.call(), entry.date, stubs)
        text = "\n".join(_lines(entry, len(same), near, bool(stubs)))
        await work.breathe()
        found.append(Unmatched(entry.id, text, near[0].found.id if near else None))
    return found


def _lines(entry: Entry, times: int, near: list[Candidate], has_stubs: bool) -> Iterator[str]:
    yield summary(entry) + (f" ({times} times)" if times > 1 else "")
    if not has_stubs:
        yield "There are no stubs."
    for one in near[:1]:
        stub = one.found
        request = pattern_text(stub.pattern, known_secrets(entry, entry.call()))
        name = f' "{stub.mapping.name}"' if stub.mapping.name else ""
        yield f"The nearest stub is {request}{name}, id {stub.id}"
        if one.distance:
            yield from comparison(stub.pattern, entry)
        else:
            yield "It matches, but it is used up (times), or its scenario was in another state."
