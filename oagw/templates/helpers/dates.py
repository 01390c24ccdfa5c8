"""Helpers that create, parse and shift dates. The current date is that of the rendering."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from oagw.java.calendar import TRUNCATIONS, shifted
from oagw.java.date import Moment, formatted, moment, parsed
from oagw.java.zone import zone
from oagw.templates.run import Failed, Run

_OFFSET = re.compile(r"(?:now\s+)?([+-]?\d{1,12}) ([A-Za-z]+)")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)")


def now(run: Run, arguments: list[Any], options: dict[str, Any]) -> Moment:
    """Return the current date, shifted by ``offset``, in ``timezone``, formatted by ``format``."""
    return _moved(run, moment(round(run.context.now * 1000)), options)


def date(run: Run, arguments: list[Any], options: dict[str, Any]) -> Moment:
    """Return the given date, in its own zone, with these options; without one, do the same as ``now``."""
    given = arguments[0] if arguments else None
    if not isinstance(given, Moment):
        return now(run, [], options)
    return _moved(run, given.at, {key: each for key, each in options.items() if key != "timezone"})


def _moved(run: Run, at: datetime, options: dict[str, Any]) -> Moment:
    pattern, offset, name = (
        None if options.get(key) is None else run.text(options[key])
        for key in ("format", "offset", "timezone")
    )
    try:
        if name is not None:
            at = at.astimezone(zone(name))
        if offset is not None:
            found = _OFFSET.fullmatch(offset)
            if found is None:
                raise ValueError('Offset must be <amount> <unit>, such as "8 seconds" or "now +5 years"')
            # Shift in UTC, where each day has 24 hours.
            at = shifted(at.astimezone(UTC), int(found[1]), found[2].lower()).astimezone(at.tzinfo)
        if pattern not in (None, "epoch", "unix"):
            formatted(at, pattern)
    except (OverflowError, ValueError) as error:
        raise Failed(str(error)) from None
    return Moment(at, pattern)


def parse_date(run: Run, arguments: list[Any], options: dict[str, Any]) -> Moment | None:
    """Parse a text as a date by ``format``, by default ISO 8601 or a date of HTTP; None if it is neither."""
    text, pattern = run.text(arguments[0]), options.get("format")
    try:
        if pattern in ("epoch", "unix"):
            return Moment(moment(int(text) * (1 if pattern == "epoch" else 1000)))
        at = _plain(text) if pattern is None else parsed(text, run.text(pattern), UTC)
    except (OverflowError, ValueError) as error:
        raise Failed(f"parseDate: {error}") from None
    return Moment(at) if at else None


def _plain(text: str) -> datetime | None:
    try:
        if _ISO.fullmatch(text):
            return datetime.fromisoformat(text)
        if "," in text[:4]:
            at = parsedate_to_datetime(text)
        else:
            at = datetime.strptime(text, "%a %b %d %H:%M:%S %Y")
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def truncate_date(run: Run, arguments: list[Any], options: dict[str, Any]) -> Moment:
    """Truncate the given date, for example to ``first day of month``."""
    given, how = arguments[0], run.text(arguments[1]).lower()
    if not isinstance(given, Moment) or how not in TRUNCATIONS:
        raise Failed(f"truncateDate: expected a date and one of {', '.join(TRUNCATIONS)}")
    return Moment(TRUNCATIONS[how](given.at), given.format)
