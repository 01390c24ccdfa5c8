"""Helpers that return random values, from the random source of the rendering."""

import string
from math import isfinite
from typing import Any
from uuid import UUID

from oagw.templates.run import MAX_OUTPUT, STEP, Failed, Run

_ALPHABETS = {
    "ALPHANUMERIC": string.ascii_lowercase + string.digits,
    "ALPHABETIC": string.ascii_lowercase,
    "NUMERIC": string.digits,
    "ALPHANUMERIC_AND_SYMBOLS": string.ascii_lowercase + string.digits + "!#$%&()*+,-./:;<=>?@[]^_{|}~",
    "HEXADECIMAL": "0123456789abcdef",
}


def integer(value: Any, name: str) -> int:
    """Return ``value`` as a 64-bit integer; raises Failed."""
    try:
        number = int(value[0] if isinstance(value, list) else value)
    except (LookupError, OverflowError, TypeError, ValueError):
        raise Failed(f"{name} is not an integer") from None
    if abs(number) >= 1 << 63:
        raise Failed(f"{name} is out of range")
    return number


def random_value(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Return random characters, by default 36 of type ALPHANUMERIC."""
    random, kind = run.context.random, str(options.get("type", "ALPHANUMERIC"))
    if kind == "UUID":
        value = str(UUID(int=random.getrandbits(128), version=4))
    elif kind not in _ALPHABETS:
        raise Failed(f"randomValue: type [{kind}] should be one of [{', '.join(_ALPHABETS)}, UUID]")
    else:
        length = integer(options.get("length", 36), "randomValue: length")
        if not 0 <= length <= MAX_OUTPUT:
            raise Failed("randomValue: length is out of range")
        run.spend(8 * length)
        value = "".join(random.choices(_ALPHABETS[kind], k=length))
    return value.upper() if options.get("uppercase") is True else value


def random_int(run: Run, arguments: list[Any], options: dict[str, Any]) -> int:
    """Return an integer from ``lower`` (inclusive) to ``upper`` (exclusive)."""
    lower = integer(options.get("lower", -(1 << 31)), "randomInt: lower")
    upper = integer(options.get("upper", (1 << 31) - 1), "randomInt: upper")
    if lower >= upper:
        raise Failed("bound must be greater than origin")
    return run.context.random.randrange(lower, upper)


def random_decimal(run: Run, arguments: list[Any], options: dict[str, Any]) -> float:
    """Return a number from ``lower`` to ``upper``. As in WireMock, the default is any positive double."""
    lower, upper = (
        float(options.get(name, default))
        for name, default in (("lower", 5e-324), ("upper", 1.7976931348623157e308))
    )
    if not lower < upper:
        raise Failed("bound must be greater than origin")
    value = lower + (upper - lower) * run.context.random.random()
    if not isfinite(value):
        raise Failed("randomDecimal: the bounds are out of range")
    return value


def pick_random(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Pick one of the arguments, or of a list. With ``count``, return a list of so many different ones."""
    values = arguments[0] if isinstance(arguments[0], list) else arguments
    if "count" in options:
        count = integer(options["count"], "pickRandom: count")
        count = max(0, min(count, len(values)))
        run.spend(STEP * count)
        return run.context.random.sample(values, count)
    if not values:
        raise Failed("pickRandom: there is nothing to pick from")
    return run.context.random.choice(values)
