"""Numbers as Java reads and writes them, which is what templates and the operators of patterns see."""

from decimal import Decimal
from math import inf, isfinite

_OTHERS = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}


def double(number: float) -> float:
    """``number`` as a double; an integer beyond its range is infinite, as BigInteger.doubleValue has it."""
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


def double_text(value: float) -> str:
    """``value`` as Double.toString writes it."""
    text = repr(value)
    if not isfinite(value):
        return _OTHERS[text]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return text
    mantissa, _, exponent = f"{Decimal(text).normalize():E}".partition("E")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"
