"""Verify that the client sent the expected requests: their number, their order, and the pauses between them.

``verify.explanation`` explains failures.
"""

from collections.abc import Iterable
from math import inf
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from oagw.matching.pattern import Pattern, compiled
from oagw.matching.spec import RequestPattern
from oagw.model.entry import Entry
from oagw.model.invalid import Invalid
from oagw.model.work import Work
from oagw.verify.reaction import Answers, Reaction, too_soon
from oagw.verify.search import Candidate, Search

Times = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0, extra={"unit": "seconds"})]

# The longest ``within``, in seconds: a day. On the real clock it is MAX_WAIT.
_MAX_WITHIN = 86_400.0

# How long a verification may wait, in seconds of real time.
MAX_WAIT = 30.0

# The rounding error of times in seconds, because they are reported in milliseconds.
_ROUNDING = 0.0005


class Verification(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The expected number of requests that match ``request``; by default, at least one.

    With ``after``, only requests that arrive after the response to a request matching ``after`` count. If
    both patterns are the same, that is a different request. Requests that were sent together do not count.
    ``not_sooner_than`` and ``not_later_than`` are the seconds between the latest such response and each
    counted request. They count from the end of the response, like a Retry-After, or from its beginning if it
    continues.

    With ``within``, it waits up to so many seconds until the expected requests have come. If no request at
    all is expected, or there is an ``at_most``, this must hold until the end of that time.
    """

    request: RequestPattern
    times: Times | None = None
    at_least: Times | None = None
    at_most: Times | None = None
    after: RequestPattern | None = None
    not_sooner_than: Seconds | None = None
    not_later_than: Seconds | None = None
    within: Annotated[float, Meta(ge=0, le=_MAX_WITHIN, extra={"unit": "seconds"})] | None = None

    def check(self) -> None:
        """Raise Invalid if its members contradict each other."""
        if self.times is not None and (self.at_least is not None or self.at_most is not None):
            raise Invalid("/times", "times cannot be combined with atLeast or atMost")
        if self.at_most is not None and (self.at_least or 0) > self.at_most:
            raise Invalid("/atMost", "atMost must not be less than atLeast")
        for name, value in (("notSoonerThan", self.not_sooner_than), ("notLaterThan", self.not_later_than)):
            if value is not None and self.after is None:
                raise Invalid(f"/{name}", f"{name} requires after")
        if self.not_later_than is not None and (self.not_sooner_than or 0) > self.not_later_than:
            raise Invalid("/notLaterThan", "notLaterThan must not be less than notSoonerThan")

    @property
    def bounds(self) -> tuple[int, int | None]:
        """The smallest and the largest expected number of requests; None for no limit."""
        if self.times is not None:
            return self.times, self.times
        if self.at_least is None and self.at_most is None:
            return 1, None
        return self.at_least or 0, self.at_most

    @property
    def must_last(self) -> bool:
        """Whether the expectation must hold until the end of ``within``, because later requests break it."""
        return self.at_most is not None or self.times == 0

    @property
    def expected(self) -> str:
        """The expected number of requests in words."""
        least, most = self.bounds
        if most == 0:
            return "no request"
        if least == most:
            return f"exactly {requests(least)}"
        if most is None:
            return f"at least {requests(least)}"
        return f"{least} to {requests(most)}" if least else f"at most {requests(most)}"


class Outcome(NamedTuple):
    """The result of a verification.

    - ``counted``: the requests that count
    - ``unordered``: those that match, but arrived before the response to any that matches ``after``
    - ``earlier``: those that match ``after``
    - ``too_soon``, ``too_late``: counted requests whose pause is not as expected
    - ``others``: the number of requests that do not match
    - ``near``: near misses of ``request``, if there were too few requests
    - ``near_after``: near misses of ``after``, if none matched it
    """

    spec: Verification
    counted: list[Entry]
    unordered: list[Entry]
    earlier: list[Entry]
    too_soon: list[Reaction]
    too_late: list[Reaction]
    others: int
    near: list[Candidate]
    near_after: list[Candidate]

    @property
    def enough(self) -> bool:
        """Whether the number of requests is as expected."""
        least, most = self.spec.bounds
        return least <= len(self.counted) and (most is None or len(self.counted) <= most)

    @property
    def verified(self) -> bool:
        return self.enough and not self.too_soon and not self.too_late

    @property
    def hopeless(self) -> bool:
        """Whether no further request can make it as expected."""
        most = self.spec.bounds[1]
        return bool(self.too_soon or self.too_late) or (most is not None and len(self.counted) > most)


class Verifier:
    """Verifies ``spec``, once or again and again. Raises Invalid.

    Each request is matched once, as long as it stays in the journal.
    """

    def __init__(self, spec: Verification) -> None:
        spec.check()
        self._spec = spec
        self._request = _Matcher(compiled(spec.request, "/request"), "/request")
        self._after = None if spec.after is None else _Matcher(compiled(spec.after, "/after"), "/after")

    async def outcome(self, journal: Iterable[Entry], work: Work, *, near: bool = True) -> Outcome:
        """Verify against ``journal``; without ``near``, do not look for near misses. Raises Invalid."""
        spec, search = self._spec, Search(work)
        entries = sorted(journal, key=lambda entry: entry.number)  # as they came
        matched = await self._request.matching(entries, search)
        counted, unordered, earlier, pairs = matched, [], [], []
        near_after: list[Candidate] = []
        if self._after is not None:
            earlier = await self._after.matching(entries, search)
            answers = Answers(earlier)
            pairs = [pair for entry in matched if (pair := answers.before(entry)) is not None]
            counted = [pair.entry for pair in pairs]
            unordered = [entry for entry in matched if answers.before(entry) is None]
            if near and not earlier:
                near_after = await search.nearest_entries(self._after.pattern, reversed(entries))
        latest = inf if spec.not_later_than is None else spec.not_later_than
        found = set(matched)
        others = [entry for entry in reversed(entries) if entry not in found]
        too_few = near and len(matched) < spec.bounds[0]
        return Outcome(
            spec,
            counted,
            unordered,
            earlier,
            [pair for pair in pairs if too_soon(pair.seconds, spec.not_sooner_than or 0)],
            [pair for pair in pairs if pair.seconds > latest + _ROUNDING],
            len(others),
            await search.nearest_entries(self._request.pattern, others) if too_few else [],
            near_after if len(counted) < spec.bounds[0] else [],
        )


class _Matcher:
    """Matches entries with a pattern, and remembers which of them match."""

    def __init__(self, pattern: Pattern, pointer: str) -> None:
        self.pattern = pattern
        self._pointer = pointer
        self._known: dict[Entry, bool] = {}

    async def matching(self, entries: list[Entry], search: Search) -> list[Entry]:
        """Return the ``entries`` that match. Raises Invalid if it takes too long."""
        known = self._known
        new = [entry for entry in entries if entry not in known]
        found = set(await search.matching(self.pattern, new, self._pointer))
        self._known = {entry: known.get(entry, entry in found) for entry in entries}
        return [entry for entry, matches in self._known.items() if matches]


async def verify(spec: Verification, journal: Iterable[Entry], work: Work) -> Outcome:
    """Verify ``spec`` against ``journal``. Raises Invalid."""
    return await Verifier(spec).outcome(journal, work)


def requests(count: int) -> str:
    """Return "1 request", "2 requests" etc."""
    return "1 request" if count == 1 else f"{count} requests"
