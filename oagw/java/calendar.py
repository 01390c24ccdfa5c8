"""Calendar arithmetic: add an amount of a unit to a date, and truncate a date to the start of a period.

Patterns (``matching.date``) and templates (``templates.helpers.dates``) use WireMock's names for both.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

# The units that can be added to a date, as lower-case plurals.
UNITS = ("seconds", "minutes", "hours", "days", "months", "years")

_MIDNIGHT: Mapping[str, Any] = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}


def shifted(at: datetime, amount: int, unit: str) -> datetime:
    """Return ``at`` plus ``amount`` of ``unit``, one of UNITS. Raises ValueError or OverflowError.

    If the resulting month does not have that day, the result is the last day of the month.
    """
    if unit not in UNITS:
        raise ValueError(f"Unknown unit of an offset: {unit.upper()}")
    if unit not in ("months", "years"):
        return at + timedelta(**{unit: amount})
    months = at.year * 12 + at.month - 1 + amount * (12 if unit == "years" else 1)
    first = at.replace(year=months // 12, month=months % 12 + 1, day=1)
    return first.replace(day=min(at.day, _days(first)))


def _days(at: datetime) -> int:
    """Return the number of days in the month of ``at``."""
    return monthrange(at.year, at.month)[1]


# Functions that truncate a date to the start of a period, or round it up to the next; they raise ValueError.
TRUNCATIONS: Mapping[str, Callable[[datetime], datetime]] = {
    "first second of minute": lambda at: at.replace(second=0, microsecond=0),
    "first minute of hour": lambda at: at.replace(minute=0, second=0, microsecond=0),
    "first hour of day": lambda at: at.replace(**_MIDNIGHT),
    "first day of month": lambda at: at.replace(day=1, **_MIDNIGHT),
    "first day of next month": lambda at: shifted(at.replace(day=1, **_MIDNIGHT), 1, "months"),
    "last day of month": lambda at: at.replace(day=_days(at), **_MIDNIGHT),
    "first day of year": lambda at: at.replace(month=1, day=1, **_MIDNIGHT),
    "first day of next year": lambda at: at.replace(year=at.year + 1, month=1, day=1, **_MIDNIGHT),
    "last day of year": lambda at: at.replace(month=12, day=31, **_MIDNIGHT),
}
