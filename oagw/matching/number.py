"""The operators equalToNumber, greaterThanNumber etc., which compare doubles as WireMock 4 does."""

import operator
import re
from collections.abc import Callable
from math import inf

from oagw.java.number import double
from oagw.matching.condition import Condition
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid

# What Java's Double.parseDouble accepts, except hexadecimal digits. Longer strings are not numbers.
_NUMBER = re.compile(r"([+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|NaN|Infinity))[dDfF]?", re.ASCII)
_MAX_LENGTH = 1_000

_COMPARE: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "equalToNumber": ("=", operator.eq),
    "greaterThanNumber": (">", operator.gt),
    "greaterThanEqualNumber": (">=", operator.ge),
    "lessThanNumber": ("<", operator.lt),
    "lessThanEqualNumber": ("<=", operator.le),
}
NAMES = tuple(_COMPARE)


def number_condition(spec: Operator, at: str) -> Condition:
    """Compile the operator of ``spec`` that is one of NAMES. Raises Invalid."""
    name = next(name for name in NAMES if getattr(spec, name) is not None)
    sign, compare = _COMPARE[name]
    given: int | float = getattr(spec, name)
    wanted = double(given)
    if abs(wanted) == inf:
        raise Invalid(at, f"{name} is out of range for a double")

    def test(text: str | None, call: Call, now: float) -> bool:
        number = parsed(text)
        return number is not None and compare(number, wanted)

    return Condition(test, f"{sign} {given}", name, str(given))


def parsed(text: str | None) -> float | None:
    """Parse ``text``, which may have white space around the number. Return None if it is not a number."""
    if text is None or len(text) > _MAX_LENGTH:
        return None
    found = _NUMBER.fullmatch(text.strip(_WHITE))
    return None if found is None else float(found[1])


# The characters that Java's String.trim removes.
_WHITE = "".join(map(chr, range(33)))
