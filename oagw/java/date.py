"""Moment: a date with its output format. Formats are those of Java's SimpleDateFormat."""

from calendar import isleap
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from oagw.java.date_reader import MAX_LENGTH, MONTHS, date_of, expression, pieces, simple

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Moment:
    """The date ``at`` in its zone.

    ``format`` is a pattern of SimpleDateFormat, ``epoch`` (ms) or ``unix`` (s); None for ISO 8601.
    """

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
    """Return the date that many milliseconds after the epoch, in UTC; raises OverflowError."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


_LETTERS = frozenset("GyYMLwWDdFEuaHkKhmsSzZX")


def _pieces(pattern: str) -> tuple[tuple[str, str], ...]:
    """Return the pieces of ``pattern``; raises ValueError, also for letters unknown to SimpleDateFormat."""
    found = pieces(pattern)
    for letter, _ in found:
        if letter and letter not in _LETTERS:
            raise ValueError(f"Illegal pattern character '{letter}'")
    return found


def formatted(at: datetime, pattern: str) -> str:
    """Format ``at`` by a ``pattern`` of SimpleDateFormat, in English; raises ValueError."""
    return "".join(_written(at, letter, run) if letter else run for letter, run in _pieces(pattern))


def _written(at: datetime, letter: str, run: str) -> str:
    width = len(run)
    if letter in "yY":
        year = _week_year(at)[0] if letter == "Y" else at.year
        return f"{year % 100:02}" if width == 2 else f"{year:0{width}}"
    if letter in "ML" and width > 2:
        return MONTHS[at.month - 1] if width > 3 else MONTHS[at.month - 1][:3]
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
    """Return the week-based year and the week of ``at`` by the rules of the United States.

    Weeks start on Sunday; week 1 contains January 1.
    """
    day = at.timetuple().tm_yday
    sunday = day - at.isoweekday() % 7  # the Sunday of this week, as a day of the year
    if sunday + 6 > 365 + isleap(at.year):
        return at.year + 1, 1
    first = (at.isoweekday() - (day - 1)) % 7  # the weekday of January 1; Sunday is 0
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


def parsed(text: str, pattern: str, default: tzinfo) -> datetime | None:
    """Parse ``text`` by ``pattern``; return None if it does not match.

    Raises ValueError if the pattern cannot be used for parsing.
    """
    letters = [letter for letter, _ in _pieces(pattern) if letter]
    if len(letters) > len(set(letters)):
        raise ValueError("The same letter occurs twice")
    wanted = expression(pattern, simple)
    found = wanted.fullmatch(text) if len(text) <= MAX_LENGTH else None
    return None if found is None else date_of(found.groupdict(), 1970, default)
