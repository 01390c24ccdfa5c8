"""How long a response asks to wait, in all forms."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tests.exam.connection import Fields

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")


def asked_delay(fields: Fields, now: Callable[[], float]) -> float | None:
    """Return the delay in seconds that a response with these ``fields`` asks for, or None."""
    given: dict[str, str] = {}
    for name, value in fields:
        given.setdefault(name.lower(), value)
    milliseconds = number(given.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    delay = retry_after(given.get("retry-after"), given.get("date"), now)
    if delay is None and number(given.get("x-ratelimit-remaining")) == 0:
        reset = number(given.get("x-ratelimit-reset"))
        delay = None if reset is None else max(0.0, reset - date_or(given.get("date"), now))
    return delay


def retry_after(text: str | None, date: str | None, now: Callable[[], float]) -> float | None:
    """Return the delay that the Retry-After ``text`` stands for, in a response of this ``date``."""
    seconds = number(text)
    if seconds is not None:
        return seconds
    until = parsed_date(text)
    return None if until is None else max(0.0, until - date_or(date, now))


def number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def date_or(text: str | None, now: Callable[[], float]) -> float:
    """Return the date in seconds since 1970, or what ``now`` returns if it is none."""
    date = parsed_date(text)
    return now() if date is None else date


def parsed_date(text: str | None) -> float | None:
    """Parse a date in one of HTTP's three forms."""
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:  # asctime's form
        date = date.replace(tzinfo=UTC)
    return (date - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
