"""The operators before, after and equalToDateTime, which parse and compare times as WireMock does.

Two times with zones are compared as instants. If either has no zone, the local times are compared.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from operator import eq, gt, lt

from oagw.java.calendar import TRUNCATIONS, UNITS, shifted
from oagw.java.date_reader import DAY_NAME, date_of, expression, formatter
from oagw.matching.condition import Condition
from oagw.matching.spec import Operator
from oagw.model.invalid import Invalid
from oagw.model.suggestion import suggestion

_OFFSET = re.compile(r"(?:now\s+)?([+-]?\d{1,6})\s+(\w+)", re.IGNORECASE)

_Reader = Callable[[str], datetime | None]


def date_condition(spec: Operator, at: str) -> Condition:
    """Compile one of the operators before, after and equalToDateTime. Raises Invalid."""
    name, compare, given = next(
        (name, compare, value)
        for name, compare, value in (
            ("before", lt, spec.before),
            ("after", gt, spec.after),
            ("equalToDateTime", eq, spec.equalToDateTime),
        )
        if value is not None
    )
    parent = at.removesuffix(f"/{name}")
    offset = _offset(spec, given, at, parent)
    literal = _read(given)
    if offset is None and literal is None:
        raise Invalid(at, f'{name} must be a time or an offset such as "now +3 days", not "{given[:100]}"')
    if offset is None and (spec.truncateExpected or spec.applyTruncationLast is not None):
        member = "truncateExpected" if spec.truncateExpected else "applyTruncationLast"
        raise Invalid(f"{parent}/{member}", f"{member} requires an offset from now")
    read = _read if spec.actualFormat is None else _reader(spec.actualFormat, f"{parent}/actualFormat")
    cut_actual, cut_expected = _truncation(spec.truncateActual), _truncation(spec.truncateExpected)

    def expected_at(now: float) -> datetime:
        if offset is None:
            assert literal is not None
            return literal
        expected = datetime.fromtimestamp(now, UTC)
        if spec.applyTruncationLast:
            return cut_expected(shifted(expected, *offset))
        return shifted(cut_expected(expected), *offset)

    def test(text: str | None, call: object, now: float) -> bool:
        actual = None if text is None else read(text)
        if actual is None:
            return False
        try:
            expected = expected_at(now)
            if actual.tzinfo:
                actual = cut_actual(actual)
        except (OverflowError, ValueError):  # beyond the years 1 to 9999
            return False
        if not (actual.tzinfo and expected.tzinfo):
            actual, expected = actual.replace(tzinfo=None), expected.replace(tzinfo=None)
        return bool(compare(actual, expected))

    return Condition(test, f"{given} (as {spec.actualFormat})" if spec.actualFormat else given, name)


def _truncation(how: str | None) -> Callable[[datetime], datetime]:
    return (lambda time: time) if how is None else TRUNCATIONS[how]


def _offset(spec: Operator, given: str, at: str, parent: str) -> tuple[int, str] | None:
    """Return the amount and the unit to add to the current time, or None if there is no offset."""
    now = given.strip().lower() == "now"
    if spec.expectedOffset is not None or spec.expectedOffsetUnit is not None:
        unit = (spec.expectedOffsetUnit or "").lower()
        if not now or spec.expectedOffset is None or unit not in UNITS:
            raise Invalid(
                f"{parent}/expectedOffset",
                'expectedOffset requires the value "now" and an expectedOffsetUnit such as "days"',
            )
        return spec.expectedOffset, unit
    if now:
        return 0, "seconds"
    found = _OFFSET.fullmatch(given.strip())
    if not found:
        return None
    unit = found[2].lower()
    if unit not in UNITS:
        raise Invalid(at, f'Unknown unit of time: "{unit}"{suggestion(unit, UNITS)}')
    return int(found[1]), unit


def _reader(format: str, at: str) -> _Reader:
    """Return a parser of times in ``format``: unix (seconds), epoch (milliseconds), or a Java pattern."""
    if format in ("unix", "epoch"):
        divisor = 1 if format == "unix" else 1000

        def read(text: str) -> datetime | None:
            if not re.fullmatch(r"[+-]?\d{1,15}", text, re.ASCII):
                return None
            try:
                return datetime.fromtimestamp(int(text) / divisor, UTC)
            except (OverflowError, ValueError, OSError):
                return None

        return read
    expression = _expression(format, at)
    return lambda text: _built(expression.fullmatch(text[:200]))


def _expression(format: str, at: str) -> re.Pattern[str]:
    if len(format) > 100:
        raise Invalid(at, "actualFormat is longer than 100 characters")
    try:
        return expression(format, formatter, re.IGNORECASE | re.ASCII)
    except ValueError as error:
        raise Invalid(at, f"actualFormat: {error}") from None


# The formats that WireMock parses by default: ISO 8601 and the three of RFC 9110 section 5.6.7.
_KNOWN = [
    re.compile(
        r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?:T(?P<hour>\d\d):(?P<minute>\d\d)"
        r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
        r"(?P<zone>z|[+-]\d\d(?::?\d\d)?)?(?:\[[\w/+-]{1,40}\])?)?",
        re.IGNORECASE | re.ASCII,
    ),
    *(
        _expression(format, "")
        for format in (
            "EEE, d MMM yyyy HH:mm:ss z",
            "EEE, d MMM yyyy HH:mm:ss Z",
            "EEEE, dd-MMM-yy HH:mm:ss z",
        )
    ),
    re.compile(
        DAY_NAME
        + r" (?P<month_name>[a-z]{3})  ?(?P<day>\d\d?) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
        r" (?P<year>\d{4})(?P<zone>)",
        re.IGNORECASE | re.ASCII,
    ),
]


def _read(text: str) -> datetime | None:
    text = text[:100]
    return next(filter(None, (_built(known.fullmatch(text)) for known in _KNOWN)), None)


def _built(found: re.Match[str] | None) -> datetime | None:
    """Return the time made of the matched fields, or None without a year."""
    return None if found is None else date_of(found.groupdict(), None, None)
