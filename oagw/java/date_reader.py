"""Parse dates by the patterns of Java's SimpleDateFormat and DateTimeFormatter.

There is a table of regular expressions for the letters of each. Their groups have the same names, from which
``date_of`` creates a date. ``java.date`` formats dates.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from oagw.java.zone import zone

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

# The largest number of characters of a pattern, and of a text to parse.
MAX_LENGTH = 200

# Two quotes, a quoted text, a run of one letter, or a literal text.
_PIECE = re.compile(r"''|'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z']+)")

# SimpleDateFormat: the expression for a letter. ``#`` stands for as many digits as the letter is repeated, or
# for any number of digits if it is not repeated.
_SIMPLE = {
    "y": r"(?P<year>#)",
    "d": r"(?P<day>#)",
    "H": r"(?P<hour>#)",
    "h": r"(?P<half_hour>#)",
    "m": r"(?P<minute>#)",
    "s": r"(?P<second>#)",
    "a": r"(?P<half>AM|PM)",
    "E": r"[A-Za-z]+",
    "Z": r"(?P<zone>[+-]\d{4})",
    "X": r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)",
    "z": r"(?P<zone>[A-Za-z_/+:0-9-]+)",
}

DAY_NAME = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"

# DateTimeFormatter: the expression for a run of letters, which is matched case-insensitively.
_FORMATTER = {
    "yyyy": r"(?P<year>\d{4})",
    "uuuu": r"(?P<year>\d{4})",
    "yy": r"(?P<year>\d\d)",
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
    "a": r"(?P<half_of_hour>am|pm)",
    "mm": r"(?P<minute>\d\d)",
    "m": r"(?P<minute>\d\d?)",
    "ss": r"(?P<second>\d\d)",
    "s": r"(?P<second>\d\d?)",
    "EEE": DAY_NAME,
    "EEEE": DAY_NAME,
    "z": r"(?P<zone>gmt|utc|z)",
    "zzz": r"(?P<zone>gmt|utc|z)",
    "Z": r"(?P<zone>[+-]\d{4})",
    "X": r"(?P<zone>z|[+-]\d\d(?:\d\d)?)",
    "XX": r"(?P<zone>z|[+-]\d{4})",
    "XXX": r"(?P<zone>z|[+-]\d\d:\d\d)",
}

# Characters that DateTimeFormatter reserves, or whose meaning is not supported here.
_RESERVED = re.compile(r"[\[\]{}#]")


@lru_cache(maxsize=256)
def pieces(pattern: str) -> tuple[tuple[str, str], ...]:
    """Split ``pattern`` into pairs: a letter and its run, or "" and a literal text. Raises ValueError."""
    if len(pattern) > MAX_LENGTH:
        raise ValueError("The format is too long")
    found, at = [], 0
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None:
            raise ValueError("Unterminated quote")
        if letter := piece[3]:
            found.append((letter, piece[2]))
        else:
            found.append(("", piece[4] or (piece[1] or "").replace("''", "'") or "'"))
        at = piece.end()
    return tuple(found)


def simple(letter: str, run: str) -> str:
    """Return the expression for a ``run`` of ``letter`` in SimpleDateFormat; raises ValueError."""
    if not letter:
        return re.escape(run)
    if letter in "ML":
        return r"(?P<month_name>[A-Za-z]+)" if len(run) > 2 else rf"(?P<month>\d{{{len(run)},2}})"
    if letter == "S":
        return rf"(?P<fraction>\d{{{len(run)}}})"
    if letter not in _SIMPLE:
        raise ValueError(f"'{letter}' cannot be used to parse a date")
    return _SIMPLE[letter].replace("#", rf"\d{{{len(run)}}}" if len(run) > 1 else r"\d{1,4}")


def formatter(letter: str, run: str) -> str:
    """Return the expression for a ``run`` of ``letter`` in DateTimeFormatter; raises ValueError."""
    if letter == "S" and len(run) <= 9:
        return rf"(?P<fraction>\d{{{len(run)}}})"
    if letter and run in _FORMATTER:
        return _FORMATTER[run]
    reserved = None if letter else _RESERVED.search(run)
    if letter or reserved is not None:
        raise ValueError(f"{run if reserved is None else reserved[0]} is not supported")
    return re.escape(run)


def expression(pattern: str, letters: Callable[[str, str], str], flags: int = 0) -> re.Pattern[str]:
    """Return an expression that matches dates of ``pattern``. Raises ValueError.

    ``letters`` is ``simple`` or ``formatter``.
    """
    source = "".join(letters(letter, run) for letter, run in pieces(pattern))
    try:
        return re.compile(source, flags)
    except re.error:  # a duplicate group
        raise ValueError("Two letters have the same meaning") from None


def date_of(groups: Mapping[str, str | None], year: int | None, default: tzinfo | None) -> datetime | None:
    """Return the date with the fields in ``groups``; None if there is no such date, or no year.

    ``year`` and ``default`` are the year and the zone to use if ``groups`` has none.
    """
    at = {name: value for name, value in groups.items() if value is not None}
    try:
        if "year" in at:
            year = int(at["year"]) + (2000 if len(at["year"]) == 2 else 0)
        if year is None:
            return None
        time = datetime(
            year,
            _month(at),
            int(at.get("day", 1)),
            _hour(at),
            int(at.get("minute", 0)),
            int(at.get("second", 0)),
            int(at.get("fraction", "0")[:6].ljust(6, "0")),
            _zone(at["zone"]) if "zone" in at else default,
        )
        return time + timedelta(days=int(at["day_of_year"]) - 1) if "day_of_year" in at else time
    except (ValueError, OverflowError):
        return None


def _month(at: Mapping[str, str]) -> int:
    name = at.get("month_name")
    if name is None:
        return int(at.get("month", 1))
    names = [month[:3] if len(name) == 3 else month for month in MONTHS]
    return [each.lower() for each in names].index(name.lower()) + 1


def _hour(at: Mapping[str, str]) -> int:
    """Return the hour. ``h`` is an hour of half a day; in DateTimeFormatter only if there is an ``a``."""
    if "half_hour" in at:
        return int(at["half_hour"]) % 12 + (12 if at.get("half") == "PM" else 0)
    hour = int(at.get("hour", 0))
    if "half_of_hour" in at:
        return hour % 12 + (12 if at["half_of_hour"].lower() == "pm" else 0)
    return hour


def _zone(name: str) -> tzinfo:
    return zone(name.upper() if len(name) <= 3 else name) if name else UTC
