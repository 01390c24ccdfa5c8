"""Compare JSON values for equalToJson as WireMock (json-unit) does, and list their differences."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from oagw.java.regex import Expression
from oagw.matching.difference import NOTHING, Difference, member_path
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import MatchBudget

_PLACEHOLDER = re.compile(r"[$#]\{json-unit\.([a-z-]+)(:[^}]*)?\}(.*)", re.DOTALL)
_KINDS = ("any-string", "any-number", "any-boolean", "ignore", "ignore-element")

# The largest total length of the regular expressions in an expected value.
_MAX_EXPRESSIONS = 10_000

# The depth to which differences are listed member by member. Deeper values are reported as a whole.
_DEPTH = 100


class _Placeholder:
    """A placeholder in the expected value, such as ``${json-unit.any-string}``."""

    def __init__(self, text: str, kind: str, expression: Expression | None = None) -> None:
        self.kind = kind
        self._text = text
        self._expression = expression

    def __str__(self) -> str:
        return self._text

    def fits(self, actual: Any, call: Call) -> bool:
        match self.kind:
            case "any-string":
                return isinstance(actual, str)
            case "any-number":
                return isinstance(actual, int | float) and not isinstance(actual, bool)
            case "any-boolean":
                return isinstance(actual, bool)
            case "regex":
                assert self._expression is not None
                return isinstance(actual, str) and self._expression.matches(actual, call)
        return True  # ignore, ignore-element


class Placeholders:
    """Replaces the placeholders in an expected value, which is at ``at`` in the document."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._length = 0  # of the regular expressions so far

    def of(self, value: Any) -> Any:
        """Return ``value`` with parsed placeholders. Raises Invalid."""
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item) for item in value]
        found = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        if not found:
            return value
        kind, argument, rest = found.groups()
        if kind == "regex" and not argument:
            self._length += len(rest) + 10  # the minimum cost of an expression
            if self._length > _MAX_EXPRESSIONS:
                detail = f"Its regular expressions are longer than {_MAX_EXPRESSIONS} characters in total"
                raise Invalid(self._at, detail)
            return _Placeholder(value, kind, Expression(rest, self._at, flags=""))
        if kind in _KINDS and not argument and not rest:
            return _Placeholder(value, kind)
        raise Invalid(self._at, f"Unsupported placeholder: {value}")


class JsonComparison:
    """One comparison: ``fits`` tells whether two values are equal, ``differences`` yields how they differ.

    With ``extra``, unexpected members and items are ignored. With ``any_order``, array items may be in any
    order. Both methods raise BudgetExceeded.
    """

    def __init__(self, any_order: bool, extra: bool, call: Call, budget: MatchBudget) -> None:
        self._any_order = any_order
        self._extra = extra
        self._call = call
        self._budget = budget
        self._steps = 0
        self._known: dict[tuple[int, int], bool] = {}

    def fits(self, expected: Any, actual: Any) -> bool:
        """Return whether ``actual`` equals ``expected``."""
        self._step()
        if isinstance(expected, dict):
            return isinstance(actual, dict) and self._objects(expected, actual)
        if isinstance(expected, _Placeholder):
            return expected.fits(actual, self._call)
        if isinstance(expected, list):
            if not isinstance(actual, list):
                return False
            if len(actual) < len(expected) or (len(actual) > len(expected) and not self._extra):
                return False
            if self._any_order:
                return self._assigned(expected, actual)
            return all(map(self.fits, expected, actual))
        return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)

    def differences(
        self, expected: Any, actual: Any, path: str = "$", depth: int = 0
    ) -> Iterator[Difference]:
        """Yield each difference between ``actual`` and ``expected``; none if it ``fits``."""
        if isinstance(expected, dict) and isinstance(actual, dict) and depth < _DEPTH:
            yield from self._members(expected, actual, path, depth + 1)
        elif isinstance(expected, list) and isinstance(actual, list) and depth < _DEPTH:
            yield from self._items(expected, actual, path, depth + 1)
        elif not self._fits(expected, actual):
            yield Difference(path, expected, actual)

    def _fits(self, expected: Any, actual: Any) -> bool:
        try:
            return self.fits(expected, actual)
        except RecursionError:  # counts as no match
            return False

    def _members(
        self, expected: dict[str, Any], actual: dict[str, Any], path: str, depth: int
    ) -> Iterator[Difference]:
        for name, value in expected.items():
            at = member_path(path, name)
            if name in actual:
                yield from self.differences(value, actual[name], at, depth)
            elif not _may_be_missing(value):
                yield Difference(at, value, NOTHING)
        if not self._extra:
            for name, value in actual.items():
                if name not in expected:
                    yield Difference(member_path(path, name), NOTHING, value)

    def _items(self, expected: list[Any], actual: list[Any], path: str, depth: int) -> Iterator[Difference]:
        taken: dict[int, int] = {}
        if self._any_order:
            for _ in self._placed(expected, actual, taken):
                pass
        settled = set(taken.values())
        wanted = [(index, value) for index, value in enumerate(expected) if index not in settled]
        there = [(index, value) for index, value in enumerate(actual) if index not in taken]
        for (index, value), (_, received) in zip(wanted, there, strict=False):
            yield from self.differences(value, received, f"{path}[{index}]", depth)
        for index, value in wanted[len(there) :]:
            yield Difference(f"{path}[{index}]", value, NOTHING)
        if not self._extra:
            for index, value in there[len(wanted) :]:
                yield Difference(f"{path}[{index}]", NOTHING, value)

    def _step(self) -> None:
        self._steps += 1
        if self._steps & 0xFF == 0:
            self._budget.check()

    def _objects(self, expected: dict[str, Any], actual: dict[str, Any]) -> bool:
        for key, value in expected.items():
            if key in actual:
                if not self.fits(value, actual[key]):
                    return False
            elif not _may_be_missing(value):
                return False
        return self._extra or all(key in expected for key in actual)

    def _assigned(self, expected: list[Any], actual: list[Any]) -> bool:
        """Return whether each item of ``expected`` can be paired with a different item of ``actual``."""
        return all(place is not None for place in self._placed(expected, actual, {}))

    def _placed(self, expected: list[Any], actual: list[Any], owner: dict[int, int]) -> Iterator[int | None]:
        """Pair each item of ``expected`` in turn with one of ``actual``; earlier pairs may change.

        Yields the index in ``actual``, or None if there is no match. ``owner`` maps the paired indexes in
        ``actual`` to those in ``expected``.
        """
        place_of: dict[int, int] = {}  # the inverse of owner
        for index in range(len(expected)):
            asked_by, place = self._search(index, expected, actual, owner)
            moving: int | None = place
            while moving is not None:  # follow the augmenting path back
                asker = owner[moving] = asked_by[moving]
                left = place_of.get(asker)
                place_of[asker] = moving
                moving = left
            yield place

    def _search(
        self, index: int, expected: list[Any], actual: list[Any], owner: dict[int, int]
    ) -> tuple[dict[int, int], int | None]:
        """Search breadth-first for an augmenting path to a free item of ``actual``.

        Returns a mapping from each visited item to the item of ``expected`` that led there, and the free one.
        """
        asked_by: dict[int, int] = {}
        asking = [index]
        for asker in asking:
            # Try the same index first: most arrays are in order.
            for place in chain(range(asker, len(actual)), range(asker)):
                self._step()
                if place in asked_by or not self._pair(expected[asker], actual[place]):
                    continue
                asked_by[place] = asker
                if place not in owner:
                    return asked_by, place
                asking.append(owner[place])
        return asked_by, None

    def _pair(self, expected: Any, actual: Any) -> bool:
        self._step()
        if not isinstance(expected, dict | list):
            return self.fits(expected, actual)
        key = id(expected), id(actual)
        if key not in self._known:
            self._known[key] = self.fits(expected, actual)
        return self._known[key]


def _may_be_missing(value: Any) -> bool:
    return isinstance(value, _Placeholder) and value.kind == "ignore-element"
