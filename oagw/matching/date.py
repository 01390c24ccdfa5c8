"""before, after, equalToDateTime: times as WireMock reads and compares them.

A time with a zone is compared with another as an instant; if one of the two has no zone, as it stands on the
clock.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from operator import eq, gt, lt

from oagw.java.calendar import TRUNCATIONS, UNITS, shifted
from oagw.matching.condition import Condition
from oagw.matching.spec import Operator
from oagw.model.invalid import Invalid

_OFFSET = re.compile(r"(?:now\s+)?([+-]?\d{1,6})\s+(\w+)", re.IGNORECASE)

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"

# A letter of Java's DateTimeFormatter, how often, and the expression for it.
_FIELDS = {
    "yyyy": r"(?P<year>\d{4})",
    "uuuu": r"(?P<year>\d{4})",
    "yy": r"(?P<short_year>\d\d)",
    "MM": r"(?P<month>\d\d)",
    "M": r"(?P<month>\d\d?)",
    "MMM": r"(?P<month_name>[a-z]{3})",
    "MMMM": r"(?P<month_name>[a-z]{3,9})",
    "dd": r"(?P<day>\d\d)",
    "d": r"(?P<day>\d\d?)",
    "DDD": r"(?P<day_of_year>\d{3})",
    "HH": r"(?P<hour>\d\d)",
    "H": r"(?P<hour>\d\d?)",
    "hh": r"(?P<hour>\d\d)",
    "h": r"(?P<hour>\d\d?)",
    "a": r"(?P<half>am|pm)",
    "mm": r"(?P<minute>\d\d)",
    "m": r"(?P<minute>\d\d?)",
    "ss": r"(?P<second>\d\d)",
    "s": r"(?P<second>\d\d?)",
    "EEE": _DAY,
    "EEEE": _DAY,
    "z": r"(?P<zone>gmt|utc|z)",
    "zzz": r"(?P<zone>gmt|utc|z)",
    "Z": r"(?P<zone>[+-]\d{4})",
    "X": r"(?P<zone>z|[+-]\d\d(?:\d\d)?)",
    "XX": r"(?P<zone>z|[+-]\d{4})",
    "XXX": r"(?P<zone>z|[+-]\d\d:\d\d)",
}

_Reader = Callable[[str], datetime | None]


def date_condition(spec: Operator, at: str) -> Condition:
    """The operators before, after and equalToDateTime; raises Invalid."""
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
        raise Invalid(at, f"{name} is neither a time nor an offset such as now +3 days: {given[:100]}")
    if offset is None and (spec.truncateExpected or spec.applyTruncationLast is not None):
        member = "truncateExpected" if spec.truncateExpected else "applyTruncationLast"
        raise Invalid(f"{parent}/{member}", f"{member} needs an offset from now")
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
    """An amount and its unit that are added to now."""
    now = given.strip().lower() == "now"
    if spec.expectedOffset is not None or spec.expectedOffsetUnit is not None:
        unit = (spec.expectedOffsetUnit or "").lower()
        if not now or spec.expectedOffset is None or unit not in UNITS:
            raise Invalid(
                f"{parent}/expectedOffset", "expectedOffset needs expectedOffsetUnit, such as days, and now"
            )
        return spec.expectedOffset, unit
    if now:
        return 0, "seconds"
    found = _OFFSET.fullmatch(given.strip())
    if not found:
        return None
    unit = found[2].lower()
    if unit not in UNITS:
        raise Invalid(at, f"no unit of time: {unit}")
    return int(found[1]), unit


def _reader(format: str, at: str) -> _Reader:
    """What reads times of ``format``: unix (seconds), epoch (milliseconds), or a pattern of Java's."""
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
        raise Invalid(at, "actualFormat may have 100 characters")
    out = []
    for quoted, letters, other in _tokens(format):
        if letters and set(letters) == {"S"} and len(letters) <= 9:
            out.append(rf"(?P<fraction>\d{{{len(letters)}}})")
        elif letters:
            if letters not in _FIELDS:
                raise Invalid(at, f"actualFormat: {letters} is not supported")
            out.append(_FIELDS[letters])
        elif other and other in "[]{}#":
            raise Invalid(at, f"actualFormat: {other} is not supported")
        else:
            out.append(re.escape(quoted or other))
    try:
        return re.compile("".join(out), re.IGNORECASE | re.ASCII)
    except re.error:  # a field that is there twice
        raise Invalid(at, "actualFormat has a field twice") from None


def _tokens(format: str) -> list[tuple[str, str, str]]:
    pieces = re.finditer(r"'(?P<quoted>[^']*)'|(?P<letters>([a-zA-Z])\3*)|(?P<other>.)", format, re.DOTALL)
    return [(piece["quoted"] or "", piece["letters"] or "", piece["other"] or "") for piece in pieces]


# As WireMock reads times without a format: ISO 8601, the three of RFC 9110 section 5.6.7.
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
        _DAY + r" (?P<month_name>[a-z]{3})  ?(?P<day>\d\d?) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
        r" (?P<year>\d{4})(?P<zone>)",
        re.IGNORECASE | re.ASCII,
    ),
]


def _read(text: str) -> datetime | None:
    text = text[:100]
    return next(filter(None, (_built(known.fullmatch(text)) for known in _KNOWN)), None)


def _built(found: re.Match[str] | None) -> datetime | None:
    """The time of the fields that were found."""
    if found is None:
        return None
    at = {name: value for name, value in found.groupdict().items() if value is not None}
    if "short_year" in at:
        at["year"] = "20" + at["short_year"]
    if "year" not in at:
        return None
    try:
        month = (
            _MONTHS.index(at["month_name"][:3].lower()) + 1 if "month_name" in at else int(at.get("month", 1))
        )
        hour = int(at.get("hour", 0))
        if "half" in at:
            hour = hour % 12 + (12 if at["half"].lower() == "pm" else 0)
        time = datetime(
            int(at["year"]),
            month,
            int(at.get("day", 1)),
            hour,
            int(at.get("minute", 0)),
            int(at.get("second", 0)),
            int(at.get("fraction", "0")[:6].ljust(6, "0")),
            _zone(at["zone"]) if "zone" in at else None,
        )
        return time + timedelta(days=int(at["day_of_year"]) - 1) if "day_of_year" in at else time
    except (ValueError, OverflowError):
        return None


def _zone(text: str) -> tzinfo:
    digits = text[1:].replace(":", "")
    if text[:1] not in ("+", "-"):
        return UTC
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-offset if text[0] == "-" else offset)
