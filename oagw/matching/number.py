"""equalToNumber and its relatives: a text that spells a number, compared as doubles as WireMock 4 does."""

import operator
import re
from collections.abc import Callable
from math import inf

from oagw.java.number import double
from oagw.matching.condition import Condition
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid

# What Java's Double.parseDouble reads, but for hexadecimal digits. Longer texts are no numbers.
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
    """The one of NAMES that ``spec`` has, as a Condition; raises Invalid."""
    name = next(name for name in NAMES if getattr(spec, name) is not None)
    sign, compare = _COMPARE[name]
    given: int | float = getattr(spec, name)
    wanted = double(given)
    if abs(wanted) == inf:
        raise Invalid(at, f"{name} is out of the range of a double")

    def test(text: str | None, call: Call, now: float) -> bool:
        number = parsed(text)
        return number is not None and compare(number, wanted)

    return Condition(test, f"{sign} {given}", name, str(given))


def parsed(text: str | None) -> float | None:
    """The number that ``text`` spells, white space around it; None if it spells none."""
    if text is None or len(text) > _MAX_LENGTH:
        return None
    found = _NUMBER.fullmatch(text.strip(_WHITE))
    return None if found is None else float(found[1])


# What Java's String.trim takes away.
_WHITE = "".join(map(chr, range(33)))
