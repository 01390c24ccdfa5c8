"""Find time zones by their names in Java."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_FIXED = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d\d))?")


def zone(name: str) -> tzinfo:
    """Return the time zone ``name``: an IANA name, or an offset such as ``+02:00``. Raises ValueError."""
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
