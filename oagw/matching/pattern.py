"""Pattern: a compiled request pattern, which matches requests and explains what does not match."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from oagw.java.regex import together
from oagw.matching.condition import label
from oagw.matching.difference import Difference
from oagw.matching.field import MAX_SHOWN, Field, fields_of, yes_or_no
from oagw.matching.spec import RequestPattern
from oagw.matching.url import Url
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.secret import KnownSecrets, masked_url
from oagw.model.time_budget import BudgetExceeded, check_time

# Names (WireMock's) that match any method, and GET or HEAD.
ANY = "ANY"
GET_OR_HEAD = "GET_OR_HEAD"

# A token of RFC 9110 section 5.6.2 without lower case: as in WireMock, methods match in upper case.
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Z-]+")

# The weights of the fields in the distance, as in WireMock's near misses.
_WEIGHTS = {"url": 10.0, "host": 10.0, "port": 10.0, "method": 3.0, "client ip": 3.0}


class FieldComparison(NamedTuple):
    """The result of comparing the field ``name``: what it ``wants`` and the ``actual`` value, both masked.

    ``operator``, ``exact`` and ``is_any`` are those of the Field. ``differences`` yields its differences.
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
        """The expected value, with the operator."""
        return f"{label(self.operator)}{self.wants}"


class Pattern:
    """A compiled request pattern.

    - ``method``: the method that matches, ``ANY`` or ``GET_OR_HEAD``
    - ``literal_path``: the only path that matches, in the form of ``Call.paths[0]``; None if several do
    - ``alias``: the only alias below ``/proxy/`` that matches, in lower case; None if several do

    ``now`` is the time, in seconds since 1970, to which dates such as ``now +3 days`` are relative.
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
        """Return whether ``call`` matches.

        If that exceeds the time budget, return False and set ``call.budget_exceeded``.
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
        except BudgetExceeded:
            call.budget_exceeded = True
            return False
        except RecursionError:
            return False
        return True

    def _matches_method(self, call: Call) -> bool:
        return self.method in methods_of(call)

    def matches_url(self, call: Call) -> bool:
        """Return whether the URL of ``call`` matches."""
        try:
            return self._matches_url(call)
        except (BudgetExceeded, RecursionError):
            return False

    def path_parameters(self, call: Call) -> dict[str, str]:
        """Return the variables of urlPathTemplate as sent (percent-encoded); empty without a template."""
        try:
            return self._url.parameters(call)
        except BudgetExceeded:
            return {}

    def distance(self, call: Call, now: float) -> float:
        """Return the weighted mean of the distances of the fields, from 0 (all match) to 1 (none does)."""
        total = weights = 0.0
        for field in self._all_fields():
            weight = _WEIGHTS.get(field.name, 1.0)
            weights += weight
            try:
                check_time(call, "a pattern")
                total += weight * field.distance(call, now)
            except (BudgetExceeded, RecursionError):
                total += weight
        return total / weights

    def compare(self, call: Call, now: float, known: KnownSecrets | None = None) -> list[FieldComparison]:
        """Compare ``call`` field by field, with the ``known`` secrets masked."""
        known = known or KnownSecrets(())
        parts = []
        for field in self._all_fields():
            actual = ""
            try:
                actual = known.masked(field.actual(call))[:MAX_SHOWN]
                check_time(call, "a pattern")
                matches = field.matches(call, now)
            except BudgetExceeded as reason:
                matches, actual = False, f"{actual} ({reason})"
            except RecursionError:
                matches, actual = False, f"{actual} (nested too deeply)"
            parts.append(
                FieldComparison(
                    field.name,
                    known.masked(field.wants)[:MAX_SHOWN],
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
    """Yield the differences of ``field`` that can be found within the time budget."""
    if field.differences is not None:
        with suppress(BudgetExceeded, RecursionError):
            yield from field.differences(call)


def methods_of(call: Call) -> tuple[str, ...]:
    """Return the methods of patterns that match the method of ``call`` in upper case, as in WireMock."""
    return methods_covering(call.method.upper())


def methods_covering(method: str) -> tuple[str, ...]:
    """Return the methods of patterns that match ``method``: itself first."""
    return (method, ANY, GET_OR_HEAD) if method in ("GET", "HEAD") else (method, ANY)


def _checked(method: str, pointer: str) -> str:
    if not _METHOD.fullmatch(method):
        better = method.strip().upper()
        hint = f', did you mean "{better}"?' if _METHOD.fullmatch(better) else ""
        raise Invalid(pointer, f'No request can have the method "{method[:100]}"{hint}')
    return method


def compiled(spec: RequestPattern, pointer: str = "") -> Pattern:
    """Compile ``spec``, which is at ``pointer`` in the document. Raises Invalid."""
    return Pattern(spec, pointer)
