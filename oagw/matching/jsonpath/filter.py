"""Filter conditions in ``[?(...)]``: existence tests, comparisons, and combinations of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from oagw.java.regex import Expression
from oagw.matching.jsonpath.function import in_time, is_number, number_text
from oagw.matching.jsonpath.literal import number
from oagw.matching.jsonpath.path import Path
from oagw.matching.jsonpath.state import JaywayError, NotApplicable, State, Undefined
from oagw.matching.jsonpath.step import FilterCondition


@dataclass(frozen=True, slots=True)
class Exists:
    """True if a path selects something."""

    path: Path

    def holds(self, value: Any, state: State) -> bool:
        return self.path.exists(value, state)


@dataclass(frozen=True, slots=True)
class Not:
    """True if a condition is false."""

    inner: FilterCondition

    def holds(self, value: Any, state: State) -> bool:
        return not self.inner.holds(value, state)


@dataclass(frozen=True, slots=True)
class And:
    """True if all conditions are true."""

    parts: tuple[FilterCondition, ...]

    def holds(self, value: Any, state: State) -> bool:
        return all(part.holds(value, state) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """True if any condition is true."""

    parts: tuple[FilterCondition, ...]

    def holds(self, value: Any, state: State) -> bool:
        return any(part.holds(value, state) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of two operands: paths, values or regular expressions."""

    left: Any
    operator: str
    right: Any

    def holds(self, value: Any, state: State) -> bool:
        left, right = (
            operand.operand(value, state) if isinstance(operand, Path) else operand
            for operand in (self.left, self.right)
        )
        return OPERATORS[self.operator](left, right, state)


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool | str):
        return type(value).__name__
    if isinstance(value, Expression):
        return "regex"
    if isinstance(value, Undefined):
        return "undefined"
    return "number" if is_number(value) else "json"


def _equal(left: Any, right: Any, state: State) -> bool:
    """Return whether two values are equal to Jayway: a string equals the number that it represents."""
    kinds = _kind(left), _kind(right)
    if kinds == ("json", "json"):
        return _same(left, right, state)
    if kinds == ("str", "number"):
        return bool(left == number_text(right))
    if kinds == ("number", "str"):
        return bool(number(right) == left)
    return kinds[0] == kinds[1] != "undefined" and bool(left == right)


def _same(left: Any, right: Any, state: State) -> bool:
    """Return whether two arrays or objects are equal. Inside them, 1 and 1.0 differ."""
    waiting: list[Iterator[tuple[Any, Any]]] = [iter([(left, right)])]
    while waiting:
        state.budget.check()
        pair = next(waiting[-1], None)
        if pair is None:
            waiting.pop()
            continue
        one, other = pair
        if type(one) is not type(other):
            return False
        if isinstance(one, dict):
            if one.keys() != other.keys():
                return False
            waiting.append(zip(one.values(), map(other.__getitem__, one), strict=True))
        elif isinstance(one, list):
            if len(one) != len(other):
                return False
            waiting.append(zip(one, other, strict=True))
        elif one != other:
            return False
    return True


def _strictly_equal(left: Any, right: Any, state: State) -> bool:
    return _kind(left) == _kind(right) and _equal(left, right, state)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any, State], bool]:
    def operator(left: Any, right: Any, state: State) -> bool:
        kinds = {_kind(left), _kind(right)}
        return kinds in ({"number"}, {"str"}) and compare(left, right)

    return operator


def _list(value: Any) -> list[Any] | None:
    """Return an array as it is, and None for an object. Raises NotApplicable for other values."""
    if _kind(value) != "json":
        raise NotApplicable
    return value if isinstance(value, list) else None


def _plain(values: list[Any], state: State) -> list[Any]:
    """Return ``values``. Raises JaywayError if they contain arrays or objects."""
    for value in in_time(values, state):
        if isinstance(value, dict | list):
            raise JaywayError
    return values


def _has(values: list[Any], wanted: Any, state: State) -> bool:
    return any(_equal(wanted, value, state) for value in in_time(_plain(values, state), state))


def _in(left: Any, right: Any, state: State) -> bool:
    values = _list(right)
    return values is not None and _has(values, left, state)


def _contains(left: Any, right: Any, state: State) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return right in left
    return isinstance(left, list) and _has(left, right, state)


def _size(left: Any, right: Any, state: State) -> bool:
    return is_number(right) and isinstance(left, str | list) and len(left) == right


def _empty(left: Any, right: Any, state: State) -> bool:
    if isinstance(left, dict):
        raise JaywayError
    return isinstance(left, str | list) and (not left) == right


def _of_lists(test: Callable[[list[Any], list[Any], State], bool]) -> Callable[[Any, Any, State], bool]:
    def operator(left: Any, right: Any, state: State) -> bool:
        others = _list(right)
        own = None if others is None else _list(left)
        return own is not None and others is not None and test(_plain(own, state), others, state)

    return operator


def _matches(left: Any, right: Any, state: State) -> bool:
    """Return whether a regular expression matches a whole value, or an element of an array."""
    pattern, value = (left, right) if isinstance(left, Expression) else (right, left)
    if not isinstance(pattern, Expression) or isinstance(value, Expression):
        return False
    values = _plain(value, state) if isinstance(value, list) else [value]
    return any(pattern.matches(_input(each), state.call) for each in values)


def _input(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else number_text(value) if is_number(value) else ""


OPERATORS: dict[str, Callable[[Any, Any, State], bool]] = {
    "==": _equal,
    "!=": lambda left, right, state: not _equal(left, right, state),
    "===": _strictly_equal,
    "!==": lambda left, right, state: not _strictly_equal(left, right, state),
    "<": _ordered(lambda left, right: bool(left < right)),
    "<=": _ordered(lambda left, right: bool(left <= right)),
    ">": _ordered(lambda left, right: bool(left > right)),
    ">=": _ordered(lambda left, right: bool(left >= right)),
    "=~": _matches,
    "in": _in,
    "nin": lambda left, right, state: not _in(left, right, state),
    "contains": _contains,
    "size": _size,
    "empty": _empty,
    "subsetof": _of_lists(lambda own, others, state: all(_has(others, one, state) for one in own)),
    "anyof": _of_lists(lambda own, others, state: any(_has(others, one, state) for one in own)),
    "noneof": _of_lists(lambda own, others, state: not any(_has(others, one, state) for one in own)),
}
