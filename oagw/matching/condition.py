"""Condition: one operator, ready to test texts with."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from oagw.matching.difference import Difference
from oagw.model.call import Call
from oagw.model.reading import Unread
from oagw.model.time_budget import GaveUp

# Tests a text (None: there is none) of a call at a time; raises GaveUp.
Test = Callable[[str | None, Call, float], bool]

# Characters that are compared to tell how much two texts differ.
_COMPARED = 500


class Condition(NamedTuple):
    """``test``, what it ``wants`` in words, and the ``text`` that it wants, where it wants exactly one.

    ``operator`` is its name where what it wants needs one to be understood. ``differences`` yields those of
    a text that it does not match, member by member, where it can; it raises GaveUp.
    ``where`` names the part of the text that is looked at. ``on_absent`` is true for the operator absent,
    ``whole`` for operators that look at a list as a whole.
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
        """What it expects, with its operator."""
        return f"{label(self.operator)}{self.wants}"

    def distance(self, text: str | None, call: Call, now: float) -> float:
        """0 if ``text`` matches; else up to 1, less where it resembles the text that is wanted."""
        if self.test(text, call, now):
            return 0.0
        return 1.0 if text is None or self.text is None else difference(self.text, text)


def label(operator: str) -> str:
    """The name of an operator, or of a kind of URL, as it stands before what is wanted."""
    return f"[{operator}] " if operator else ""


def difference(wanted: str, text: str) -> float:
    """How much of two texts differs, 0 to 1: all that is not a common beginning or end."""
    shorter, longer = sorted((wanted[:_COMPARED], text[:_COMPARED]), key=len)
    ahead = 0
    while ahead < len(shorter) and shorter[ahead] == longer[ahead]:
        ahead += 1
    behind = 0
    while behind < len(shorter) - ahead and shorter[-1 - behind] == longer[-1 - behind]:
        behind += 1
    return 1 - (ahead + behind) / len(longer) if longer else 0.0


def document(text: str | None, call: Call) -> Any:
    """``text`` as JSON; raises ValueError, GaveUp. A body is read once for all patterns."""
    if text is None:
        raise ValueError("no text")
    try:
        return call.json if text is call.text else call.read_json(text)
    except Unread as error:
        raise GaveUp(f"the JSON {error}") from None
