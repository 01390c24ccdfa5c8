"""Moment: a date that is written in the format it was given, with Java's SimpleDateFormat letters."""

import re
from calendar import isleap
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIXED = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d\d))?")

# Characters of a format, and of a text that is read by one.
_MAX_PATTERN = 200

# A quoted text, two quotes, a run of one letter, or what stands for itself.
_PIECE = re.compile(r"''|'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z']+)")


@dataclass(frozen=True, slots=True)
class Moment:
    """``at`` in its zone; ``format`` is that of SimpleDateFormat, ``epoch`` (ms), ``unix`` (s), or ISO."""

    at: datetime
    format: str | None = None

    def __str__(self) -> str:
        if self.format is None:
            return f"{self.at:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + _offset(self.at, "XXX")
        if self.format in ("epoch", "unix"):
            milliseconds = (self.at - _EPOCH) // timedelta(milliseconds=1)
            return str(milliseconds if self.format == "epoch" else milliseconds // 1000)
        return formatted(self.at, self.format)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(milliseconds: int) -> datetime:
    """That many after the epoch, in UTC; raises OverflowError."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def zone(name: str) -> tzinfo:
    """The time zone ``name`` (IANA, or an offset such as ``+02:00``); raises ValueError."""
    if name in ("Z", "UTC", "GMT", "UT"):
        return UTC
    if fixed := _FIXED.fullmatch(name):
        hours, minutes = int(fixed[2]), int(fixed[3] or 0)
        if hours <= 18 and minutes < 60:
            return timezone((1 if fixed[1] == "+" else -1) * timedelta(hours=hours, minutes=minutes))
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError(f"Unknown time-zone ID: {name}") from None


@lru_cache(maxsize=256)
def _pieces(pattern: str) -> tuple[tuple[str, str], ...]:
    """The runs of letters of ``pattern``, and its literal texts with an empty letter; raises ValueError."""
    if len(pattern) > _MAX_PATTERN:
        raise ValueError("The format is too long")
    pieces, at = [], 0
    while at < len(pattern):
        found = _PIECE.match(pattern, at)
        if found is None:
            raise ValueError("Unterminated quote")
        if letter := found[3]:
            if letter not in _LETTERS:
                raise ValueError(f"Illegal pattern character '{letter}'")
            pieces.append((letter, found[2]))
        else:
            pieces.append(("", found[4] or (found[1] or "").replace("''", "'") or "'"))
        at = found.end()
    return tuple(pieces)


_LETTERS = frozenset("GyYMLwWDdFEuaHkKhmsSzZX")


def formatted(at: datetime, pattern: str) -> str:
    """``at`` in SimpleDateFormat's ``pattern``, in English; raises ValueError."""
    return "".join(_written(at, letter, run) if letter else run for letter, run in _pieces(pattern))


def _written(at: datetime, letter: str, run: str) -> str:
    width = len(run)
    if letter in "yY":
        year = _week_year(at)[0] if letter == "Y" else at.year
        return f"{year % 100:02}" if width == 2 else f"{year:0{width}}"
    if letter in "ML" and width > 2:
        return _MONTHS[at.month - 1] if width > 3 else _MONTHS[at.month - 1][:3]
    if letter == "E":
        return _DAYS[at.weekday()] if width > 3 else _DAYS[at.weekday()][:3]
    if letter == "a":
        return "PM" if at.hour > 11 else "AM"
    if letter == "G":
        return "AD"
    if letter == "z":
        return _zone_name(at, width)
    if letter in "ZX":
        return _offset(at, run)
    first = at.replace(day=1).isoweekday() % 7
    number = {
        "M": at.month,
        "L": at.month,
        "d": at.day,
        "H": at.hour,
        "k": at.hour or 24,
        "K": at.hour % 12,
        "h": at.hour % 12 or 12,
        "m": at.minute,
        "s": at.second,
        "S": at.microsecond // 1000,
        "u": at.isoweekday(),
        "D": at.timetuple().tm_yday,
        "F": (at.day + 6) // 7,
        "W": (at.day + first + 6) // 7,
        "w": _week_year(at)[1],
    }[letter]
    return f"{number:0{width}}"


def _week_year(at: datetime) -> tuple[int, int]:
    """The year and week of ``at`` as the United States count: from Sunday, week 1 has January 1."""
    day = at.timetuple().tm_yday
    sunday = day - at.isoweekday() % 7  # of this week, as a day of the year
    if sunday + 6 > 365 + isleap(at.year):
        return at.year + 1, 1
    first = (at.isoweekday() - (day - 1)) % 7  # the weekday of the first of January, Sunday is 0
    return at.year, (day - 1 + first) // 7 + 1


def _zone_name(at: datetime, width: int) -> str:
    if at.tzinfo is UTC:
        return "Coordinated Universal Time" if width > 3 else "UTC"
    return f"GMT{_offset(at, 'ZZZ')}" if isinstance(at.tzinfo, timezone) else at.tzname() or ""


def _offset(at: datetime, run: str) -> str:
    minutes = int((at.utcoffset() or timedelta()) / timedelta(minutes=1))
    if run.startswith("X") and not minutes:
        return "Z"
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    if run == "X":
        return f"{sign}{hours:02}"
    return f"{sign}{hours:02}:{rest:02}" if run in ("XXX", "ZZZ") else f"{sign}{hours:02}{rest:02}"


# What each letter is read by; ``#`` is as many digits as it stands there, or what there are for a single one.
_PARSED = {
    "y": r"(?P<year>#)",
    "d": r"(?P<day>#)",
    "H": r"(?P<hour>#)",
    "h": r"(?P<half>#)",
    "m": r"(?P<minute>#)",
    "s": r"(?P<second>#)",
    "a": r"(?P<side>AM|PM)",
    "E": r"[A-Za-z]+",
    "Z": r"(?P<zone>[+-]\d{4})",
    "X": r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)",
    "z": r"(?P<zone>[A-Za-z_/+:0-9-]+)",
}


def parsed(text: str, pattern: str, default: tzinfo) -> datetime | None:
    """``text`` read by ``pattern``, None if it does not match; raises ValueError for what cannot be read."""
    expression = ""
    for letter, run in _pieces(pattern):
        if letter in ("M", "L"):
            expression += r"(?P<name>[A-Za-z]+)" if len(run) > 2 else rf"(?P<month>\d{{{len(run)},2}})"
        elif letter == "S":
            expression += rf"(?P<fraction>\d{{{len(run)}}})"
        elif letter:
            if letter not in _PARSED:
                raise ValueError(f"'{letter}' cannot be read from a date")
            digits = rf"\d{{{len(run)}}}" if len(run) > 1 else r"\d{1,4}"
            expression += _PARSED[letter].replace("#", digits)
        else:
            expression += re.escape(run)
    if len(letters := [letter for letter, _ in _pieces(pattern) if letter]) > len(set(letters)):
        raise ValueError("A letter stands twice")
    try:
        found = re.fullmatch(expression, text) if len(text) <= _MAX_PATTERN else None
    except re.error:
        raise ValueError("Two letters say the same") from None
    if found is None:
        return None
    got = found.groupdict()
    month = int(got.get("month") or 1)
    if name := got.get("name"):
        month = next((i for i, each in enumerate(_MONTHS, 1) if name in (each, each[:3])), 0)
    hour = int(got.get("hour") or 0)
    if half := got.get("half"):
        hour = int(half) % 12 + (12 if got.get("side") == "PM" else 0)
    year = int(got.get("year") or 1970)
    try:
        return datetime(
            year + 2000 if len(got.get("year") or "") == 2 else year,
            month,
            int(got.get("day") or 1),
            hour,
            int(got.get("minute") or 0),
            int(got.get("second") or 0),
            int((got.get("fraction") or "0").ljust(6, "0")[:6]),
            zone(got["zone"]) if got.get("zone") else default,
        )
    except (OverflowError, ValueError):
        return None
