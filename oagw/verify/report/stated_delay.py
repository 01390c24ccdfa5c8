"""The delay that an answer asks for before the next request, in whichever of its header fields says so.

The most precise field counts: ``retry-after-ms``, then ``Retry-After`` (RFC 9110 section 10.2.3), then the
reset of a rate limit of which nothing is left: ``RateLimit`` and ``RateLimit-Reset`` (drafts of the IETF, in
seconds from now), ``X-RateLimit-Reset`` (GitHub, in seconds since 1970).
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import NamedTuple

from oagw.model.journal import Entry
from oagw.verify.reaction import ended

# A reset that is further away, in seconds, was not meant as a time in seconds.
_FAR = 366 * 86_400.0

# Above this, in seconds, the SDK of OpenAI takes no account of Retry-After: some versions do not retry then,
# others wait as they do without the field. That is half a second the first time, less a quarter at random.
_OPENAI_MOST = 60.0
_OPENAI_BACKOFF = 0.375

# The fields of which a limit is ``RateLimit-Remaining``, or ``r`` in the newer field and ``t`` its reset.
_REMAINING = re.compile(r"\b(?:remaining|r)\s*=\s*(\d{1,18})\b", re.IGNORECASE)
_RESET = re.compile(r"\b(?:reset|t)\s*=\s*(\d{1,18})\b", re.IGNORECASE)


class Delay(NamedTuple):
    """``seconds`` from the end of the answer, which its header ``field`` asks for."""

    seconds: float
    field: str


def stated_delay(entry: Entry) -> Delay | None:
    """The delay that the answer to ``entry`` asks for, if it does; never a negative one."""
    fields = entry.response_headers
    for name, read in (("retry-after-ms", _milliseconds), ("retry-after", _retry_after)):
        seconds = read(_first(fields, name), entry)
        if seconds is not None:
            return Delay(max(0.0, seconds), _SPELLED[name])
    # The SDK of OpenAI does not know rate limits.
    return None if _of_openai(entry) else _rate_limit(fields, entry)


def least_pause(entry: Entry, delay: Delay) -> float:
    """The seconds that a client waits at least, after the answer to ``entry`` asked for ``delay``.

    That is the delay, or less where the rule of an official SDK is another.
    """
    if _of_openai(entry) and delay.seconds > _OPENAI_MOST:
        return _OPENAI_BACKOFF
    return delay.seconds


def _of_openai(entry: Entry) -> bool:
    """Whether the rule of OpenAI's SDK applies: it was asked, or asks (its kind has fields of its own)."""
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
    """The limits in a RateLimit field: one in the older form, which separates members with commas."""
    return [value] if "remaining" in value.lower() else value.split(",")


def _reset_of(item: str) -> float | None:
    """The reset of a limit of which nothing remains."""
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
    """A number, whole or not, as the SDKs read it."""
    if not re.fullmatch(r"\d{1,18}(\.\d{1,18})?", text, re.ASCII):
        return None
    number = float(text)
    return number if isfinite(number) else None


def _until(date: float, entry: Entry) -> float:
    """The seconds from the end of the answer to ``entry`` until ``date``, in seconds since 1970."""
    return date - entry.date_of(ended(entry))
