"""Condition: a compiled operator that tests strings."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from oagw.matching.difference import Difference
from oagw.model.call import Call
from oagw.model.reading import ParseLimitExceeded
from oagw.model.time_budget import BudgetExceeded

# Tests a string of a call (None if it is absent) at a given time. Raises BudgetExceeded.
Test = Callable[[str | None, Call, float], bool]

# The number of characters compared to measure how much two strings differ.
_COMPARED = 500


class Condition(NamedTuple):
    """A ``test`` and descriptions of it.

    - ``wants``: the expected value in words
    - ``operator``: the name of the operator, unless ``wants`` is clear without it
    - ``text``: the only string that matches, if there is only one
    - ``where``: the part of the string that is tested
    - ``on_absent``: whether it matches an absent value (true for ``absent``)
    - ``whole``: whether it tests a list as a whole, instead of each item
    - ``differences``: yields the differences of a string that does not match, member by member; it raises
      BudgetExceeded
    """

    test: Test
    wants: str
    operator: str = ""
    text: str | None = None
    where: str = ""
    on_absent: bool = False
    whole: bool = False
    differences: Callable[[str | None, Call], Iterator[Difference]] | None = None

    @property
    def expected(self) -> str:
        """The expected value, with the operator."""
        return f"{label(self.operator)}{self.wants}"

    def distance(self, text: str | None, call: Call, now: float) -> float:
        """Return 0 if ``text`` matches, else up to 1: the more similar to the expected text, the less."""
        if self.test(text, call, now):
            return 0.0
        return 1.0 if text is None or self.text is None else difference(self.text, text)


def label(operator: str) -> str:
    """Return the name of an operator, or of a kind of URL, as a prefix of the expected value."""
    return f"[{operator}] " if operator else ""


def difference(wanted: str, text: str) -> float:
    """Return the fraction of two strings that is neither a common prefix nor a common suffix."""
    shorter, longer = sorted((wanted[:_COMPARED], text[:_COMPARED]), key=len)
    ahead = 0
    while ahead < len(shorter) and shorter[ahead] == longer[ahead]:
        ahead += 1
    behind = 0
    while behind < len(shorter) - ahead and shorter[-1 - behind] == longer[-1 - behind]:
        behind += 1
    return 1 - (ahead + behind) / len(longer) if longer else 0.0


def document(text: str | None, call: Call) -> Any:
    """Parse ``text`` as JSON. A body is parsed only once. Raises ValueError, BudgetExceeded."""
    if text is None:
        raise ValueError("no text")
    try:
        return call.json if text is call.text else call.read_json(text)
    except ParseLimitExceeded as error:
        raise BudgetExceeded(f"the JSON {error}") from None
