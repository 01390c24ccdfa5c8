"""Parse and format numbers as Java does, for templates and for the operators of patterns."""

from decimal import Decimal
from math import inf, isfinite

_OTHERS = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}


def double(number: float) -> float:
    """Return ``number`` as a double. Integers out of range are infinite, as in BigInteger.doubleValue."""
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


def double_text(value: float) -> str:
    """Format ``value`` as Double.toString does."""
    text = repr(value)
    if not isfinite(value):
        return _OTHERS[text]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return text
    mantissa, _, exponent = f"{Decimal(text).normalize():E}".partition("E")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"
