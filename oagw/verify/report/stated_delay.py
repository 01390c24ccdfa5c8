"""Find the delay that a response requests before the next request, in its header fields.

The most precise field counts: ``retry-after-ms``, then ``Retry-After`` (RFC 9110 section 10.2.3), then the
reset of an exhausted rate limit: ``RateLimit`` and ``RateLimit-Reset`` (IETF drafts, in seconds from now),
``X-RateLimit-Reset`` (GitHub, in seconds since 1970).
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import NamedTuple

from oagw.model.entry import Entry
from oagw.verify.reaction import ended

# A reset that is further in the future than this, in seconds, is probably not in seconds.
_FAR = 366 * 86_400.0

# OpenAI's SDK ignores a Retry-After above this, in seconds. Some versions do not retry then; others wait as
# they do without the field: at first half a second, minus a random part of up to a quarter of that.
_OPENAI_MOST = 60.0
_OPENAI_BACKOFF = 0.375

# The remaining quota in a RateLimit field (``remaining``, or ``r`` in newer drafts) and its reset (or ``t``).
_REMAINING = re.compile(r"\b(?:remaining|r)\s*=\s*(\d{1,18})\b", re.IGNORECASE)
_RESET = re.compile(r"\b(?:reset|t)\s*=\s*(\d{1,18})\b", re.IGNORECASE)


class Delay(NamedTuple):
    """A delay in ``seconds`` from the end of the response, requested by its header ``field``."""

    seconds: float
    field: str


def stated_delay(entry: Entry) -> Delay | None:
    """Return the delay that the response to ``entry`` requests, or None. It is never negative."""
    fields = entry.response_headers
    for name, read in (("retry-after-ms", _milliseconds), ("retry-after", _retry_after)):
        seconds = read(_first(fields, name), entry)
        if seconds is not None:
            return Delay(max(0.0, seconds), _SPELLED[name])
    # OpenAI's SDK ignores the fields of rate limits.
    return None if _of_openai(entry) else _rate_limit(fields, entry)


def least_pause(entry: Entry, delay: Delay) -> float:
    """Return the minimum pause in seconds after the response to ``entry``, which requests ``delay``.

    That is the delay, or less if an official SDK waits less.
    """
    if _of_openai(entry) and delay.seconds > _OPENAI_MOST:
        return _OPENAI_BACKOFF
    return delay.seconds


def _of_openai(entry: Entry) -> bool:
    """Return whether the rule of OpenAI's SDK applies: by the alias called, or by the SDK's header fields."""
    return entry.alias == "openai" or b"\nx-stainless-" in b"\n" + entry.head.lower()


def _rate_limit(fields: dict[str, list[str]], entry: Entry) -> Delay | None:
    combined = [_reset_of(item) for value in fields.get("ratelimit", ()) for item in _items(value)]
    resets = [seconds for seconds in combined if seconds is not None]
    if resets:
        return Delay(max(resets), "RateLimit")
    for prefix, read in (("ratelimit", _number), ("x-ratelimit", _epoch)):
        if _number(_first(fields, f"{prefix}-remaining"), entry) == 0:
            seconds = read(_first(fields, f"{prefix}-reset"), entry)
            if seconds is not None and seconds <= _FAR:
                return Delay(max(0.0, seconds), _SPELLED[f"{prefix}-reset"])
    return None


_SPELLED = {
    "retry-after-ms": "retry-after-ms",
    "retry-after": "Retry-After",
    "ratelimit-reset": "RateLimit-Reset",
    "x-ratelimit-reset": "X-RateLimit-Reset",
}


def _first(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0].strip()


def _items(value: str) -> list[str]:
    """Split a RateLimit field into limits. The older form has only one, with commas between its members."""
    return [value] if "remaining" in value.lower() else value.split(",")


def _reset_of(item: str) -> float | None:
    """Return the reset of an exhausted limit, or None."""
    remaining, reset = _REMAINING.search(item), _RESET.search(item)
    if remaining is None or reset is None or int(remaining[1]) > 0:
        return None
    return float(reset[1]) if float(reset[1]) <= _FAR else None


def _milliseconds(text: str, entry: Entry) -> float | None:
    number = _number(text, entry)
    return None if number is None else number / 1000


def _retry_after(text: str, entry: Entry) -> float | None:
    number = _number(text, entry)
    if number is not None:
        return number
    try:
        date = parsedate_to_datetime(text)
        return _until((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp(), entry)
    except (ValueError, TypeError, OverflowError):
        return None


def _epoch(text: str, entry: Entry) -> float | None:
    number = _number(text, entry)
    return None if number is None else _until(number, entry)


def _number(text: str, entry: Entry) -> float | None:
    """Parse a number, which may have decimals, as the SDKs do; return None if it is not valid."""
    if not re.fullmatch(r"\d{1,18}(\.\d{1,18})?", text, re.ASCII):
        return None
    number = float(text)
    return number if isfinite(number) else None


def _until(date: float, entry: Entry) -> float:
    """Return the seconds from the end of the response to ``entry`` to ``date``, in seconds since 1970."""
    return date - entry.date_of(ended(entry))
