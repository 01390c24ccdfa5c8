"""Verification: did the client send what a test expects, as often, in that order, at that pace.

``verify.explanation`` says why not.
"""

from collections.abc import Iterable
from math import inf
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from oagw.matching.pattern import compiled
from oagw.matching.spec import RequestPattern
from oagw.model.invalid import Invalid
from oagw.model.journal import Entry
from oagw.model.work import Work
from oagw.verify.reaction import After, Answers, too_soon
from oagw.verify.search import Near, Search

Times = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0, extra={"unit": "seconds"})]

# What times may be off by, in seconds: they are told to the millisecond.
_ROUNDING = 0.0005


class Verification(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a test expects: so many requests that match ``request``; at least one where it says nothing.

    With ``after``, those alone are counted that arrive after the answer to a request that matches ``after``
    (another one, where both patterns are the same). Requests that were sent together do not count.
    ``not_sooner_than`` and ``not_later_than`` are seconds between the latest such answer and each request
    that is counted: from the end of the answer, as a Retry-After counts; from its begin if it goes on.
    """

    request: RequestPattern
    times: Times | None = None
    at_least: Times | None = None
    at_most: Times | None = None
    after: RequestPattern | None = None
    not_sooner_than: Seconds | None = None
    not_later_than: Seconds | None = None

    def check(self) -> None:
        """Raise Invalid if its members do not go together."""
        if self.times is not None and (self.at_least is not None or self.at_most is not None):
            raise Invalid("/times", "times does not go with atLeast or atMost")
        if self.at_most is not None and (self.at_least or 0) > self.at_most:
            raise Invalid("/atMost", "atMost is less than atLeast")
        for name, value in (("notSoonerThan", self.not_sooner_than), ("notLaterThan", self.not_later_than)):
            if value is not None and self.after is None:
                raise Invalid(f"/{name}", f"{name} needs after: seconds after what?")
        if self.not_later_than is not None and (self.not_sooner_than or 0) > self.not_later_than:
            raise Invalid("/notLaterThan", "notLaterThan is less than notSoonerThan")

    @property
    def bounds(self) -> tuple[int, int | None]:
        """The least and the most requests that are expected; None for any number."""
        if self.times is not None:
            return self.times, self.times
        if self.at_least is None and self.at_most is None:
            return 1, None
        return self.at_least or 0, self.at_most

    @property
    def expected(self) -> str:
        """How many requests are expected, in words."""
        least, most = self.bounds
        if most == 0:
            return "no request"
        if least == most:
            return f"exactly {requests(least)}"
        if most is None:
            return f"at least {requests(least)}"
        return f"{least} to {requests(most)}" if least else f"at most {requests(most)}"


class Outcome(NamedTuple):
    """What was found: ``counted``, and ``unordered``, which match but arrived before the answer to any that
    matches ``after``.

    ``earlier`` is what ``after`` matched; ``too_soon`` and ``too_late`` are those of ``counted`` whose pause
    is not as expected. ``near`` are near misses of ``request`` where there were too few,
    ``near_after`` of ``after`` where nothing matched it.
    """

    spec: Verification
    counted: list[Entry]
    unordered: list[Entry]
    earlier: list[Entry]
    too_soon: list[After]
    too_late: list[After]
    others: int
    near: list[Near]
    near_after: list[Near]

    @property
    def enough(self) -> bool:
        """Whether there were as many requests as expected."""
        least, most = self.spec.bounds
        return least <= len(self.counted) and (most is None or len(self.counted) <= most)

    @property
    def verified(self) -> bool:
        return self.enough and not self.too_soon and not self.too_late


async def verify(spec: Verification, journal: Iterable[Entry], work: Work) -> Outcome:
    """What ``journal`` says to ``spec``; raises Invalid."""
    spec.check()
    search = Search(work)
    entries = sorted(journal, key=lambda entry: entry.number)  # as they came
    pattern = compiled(spec.request, "/request")
    matched = await search.matching(pattern, entries, "/request")
    counted, unordered, earlier, pairs = matched, [], [], []
    near_after: list[Near] = []
    if spec.after is not None:
        after = compiled(spec.after, "/after")
        earlier = await search.matching(after, entries, "/after")
        answers = Answers(earlier)
        pairs = [pair for entry in matched if (pair := answers.before(entry)) is not None]
        counted = [pair.entry for pair in pairs]
        unordered = [entry for entry in matched if answers.before(entry) is None]
        if not earlier:
            near_after = await search.nearest_entries(after, reversed(entries))
    latest = inf if spec.not_later_than is None else spec.not_later_than
    found = set(matched)
    others = [entry for entry in reversed(entries) if entry not in found]
    too_few = len(matched) < spec.bounds[0]
    return Outcome(
        spec,
        counted,
        unordered,
        earlier,
        [pair for pair in pairs if too_soon(pair.seconds, spec.not_sooner_than or 0)],
        [pair for pair in pairs if pair.seconds > latest + _ROUNDING],
        len(others),
        await search.nearest_entries(pattern, others) if too_few else [],
        near_after if len(counted) < spec.bounds[0] else [],
    )


def requests(count: int) -> str:
    """``count`` in words: "1 request", "2 requests"."""
    return "1 request" if count == 1 else f"{count} requests"
