"""Pattern: a request pattern that is ready to be matched, and that can say what does not match."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from oagw.java.regex import together
from oagw.matching.condition import label
from oagw.matching.difference import Difference
from oagw.matching.field import SHOWN, Field, fields_of, yes_or_no
from oagw.matching.spec import RequestPattern
from oagw.matching.url import Url
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.secret import Known, masked_url
from oagw.model.time_budget import GaveUp, check_time

# The method that any request has, and the one of requests for a resource or its head (WireMock's names).
ANY = "ANY"
GET_OR_HEAD = "GET_OR_HEAD"

# RFC 9110 section 5.6.2, without lower case: that is what requests are compared in, as in WireMock.
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Z-]+")

# What each part weighs in the distance, as in WireMock's near misses.
_WEIGHTS = {"url": 10.0, "host": 10.0, "port": 10.0, "method": 3.0, "client ip": 3.0}


class Part(NamedTuple):
    """One line of a comparison: what ``name`` was expected to be, and what it is; secrets are masked.

    ``operator``, ``exact`` and ``is_any`` are those of the Field, and ``differences`` yields its differences.
    """

    name: str
    wants: str
    actual: str
    matches: bool
    operator: str
    exact: bool
    is_any: bool
    differences: Callable[[], Iterator[Difference]]

    @property
    def expected(self) -> str:
        """What was expected, with its operator."""
        return f"{label(self.operator)}{self.wants}"


class Pattern:
    """A compiled request pattern.

    ``method`` is ``ANY`` if all match, ``GET_OR_HEAD`` if these do. ``literal_path`` is the one path that
    matches, in the spelling of ``Call.paths[0]``; ``alias`` the one alias below ``/proxy/``, in lower case:
    each None if there are more.
    ``now`` is the time in seconds since 1970, of which dates such as ``now +3 days`` are reckoned.
    """

    def __init__(self, spec: RequestPattern, pointer: str = "") -> None:
        self.method = ANY if spec.method is None else _checked(spec.method, f"{pointer}/method")
        with together():
            self._url = url = Url(spec, pointer)
            self._fields = fields_of(spec, url, pointer)
        self.literal_path = url.literal_path
        self.alias = url.alias
        self._matches_url = url.matches
        self._checks = tuple(field.matches for field in self._fields)

    def matches(self, call: Call, now: float) -> bool:
        """Whether ``call`` is what this asks for.

        If that cannot be told within the time budget, it is False, and ``call.gave_up`` is set.
        """
        if self.method not in (ANY, call.method) and not self._matches_method(call):
            return False
        try:
            if not self._matches_url(call):
                return False
            for check in self._checks:
                check_time(call, "a pattern")
                if not check(call, now):
                    return False
        except GaveUp:
            call.gave_up = True
            return False
        except RecursionError:
            return False
        return True

    def _matches_method(self, call: Call) -> bool:
        return self.method in methods_of(call)

    def matches_url(self, call: Call) -> bool:
        """Whether ``call`` has the URL that this asks for, whatever else it has."""
        try:
            return self._matches_url(call)
        except (GaveUp, RecursionError):
            return False

    def path_parameters(self, call: Call) -> dict[str, str]:
        """The variables of urlPathTemplate, as sent (percent-encoded); empty without one."""
        try:
            return self._url.parameters(call)
        except GaveUp:
            return {}

    def distance(self, call: Call, now: float) -> float:
        """0 (it matches) to 1 (nothing does): a mean in which the URL and the method weigh more."""
        total = weights = 0.0
        for field in self._all_fields():
            weight = _WEIGHTS.get(field.name, 1.0)
            weights += weight
            try:
                check_time(call, "a pattern")
                total += weight * field.distance(call, now)
            except (GaveUp, RecursionError):
                total += weight
        return total / weights

    def compare(self, call: Call, now: float, known: Known | None = None) -> list[Part]:
        """Field by field, what is expected and what ``call`` has, without the secrets that are ``known``."""
        known = known or Known(())
        parts = []
        for field in self._all_fields():
            actual = ""
            try:
                actual = known.masked(field.actual(call))[:SHOWN]
                check_time(call, "a pattern")
                matches = field.matches(call, now)
            except GaveUp as reason:
                matches, actual = False, f"{actual} ({reason})"
            except RecursionError:
                matches, actual = False, f"{actual} (nested too deeply)"
            parts.append(
                Part(
                    field.name,
                    known.masked(field.wants)[:SHOWN],
                    actual,
                    matches,
                    field.operator,
                    field.exact,
                    field.is_any,
                    partial(_differences, field, call),
                )
            )
        return parts

    def _all_fields(self) -> list[Field]:
        url = self._url
        return [
            yes_or_no(
                "method",
                self.method,
                lambda call: call.method,
                lambda call, now: self._matches_method(call),
                is_any=self.method == ANY,
            ),
            Field(
                "url",
                masked_url(url.wants),
                lambda call: masked_url(call.url),
                lambda call, now: url.matches(call),
                lambda call, now: url.difference(call),
                url.kind,
                exact=url.literal_path is not None,
                is_any=url.is_any,
            ),
            *self._fields,
        ]


def _differences(field: Field, call: Call) -> Iterator[Difference]:
    """The differences of ``field``; none that cannot be told within the time budget."""
    if field.differences is not None:
        with suppress(GaveUp, RecursionError):
            yield from field.differences(call)


def methods_of(call: Call) -> tuple[str, ...]:
    """The methods of the patterns that ``call`` may match; its own counts in upper case, as in WireMock."""
    return methods_covering(call.method.upper())


def methods_covering(method: str) -> tuple[str, ...]:
    """The methods of the patterns that match all with ``method``, which comes first."""
    return (method, ANY, GET_OR_HEAD) if method in ("GET", "HEAD") else (method, ANY)


def _checked(method: str, pointer: str) -> str:
    if not _METHOD.fullmatch(method):
        better = method.strip().upper()
        hint = f': say "{better}"' if _METHOD.fullmatch(better) else ""
        raise Invalid(pointer, f"{method[:100]!r} is the method of no request{hint}")
    return method


def compiled(spec: RequestPattern, pointer: str = "") -> Pattern:
    """``spec``, found at ``pointer``, ready to match; raises Invalid."""
    return Pattern(spec, pointer)
