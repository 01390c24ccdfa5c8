"""Functions of JSONPath, such as ``length()``: they take the value of a path and arguments."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from math import nan, sqrt
from typing import Any

from oagw.java.number import double, double_text
from oagw.matching.jsonpath.state import JaywayError, NotFound, Selection, State
from oagw.model.time_budget import BudgetExceeded

# An argument: a value, or a path that selects the value.
Argument = Any
Function = Callable[[Any, Sequence[Argument], State], Any]

# The largest number of characters that concat() returns.
_MAX_TEXT = 8 << 20


def is_number(value: Any) -> bool:
    """Return whether ``value`` is a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_text(value: int | float) -> str:
    """Return ``value`` as Java's BigDecimal writes it."""
    text = str(value) if isinstance(value, int) else double_text(value)
    mantissa, exponent, power = text.partition("E")
    return f"{mantissa}E+{power}" if exponent and not power.startswith("-") else text


def _own_and(arguments: Sequence[Argument], value: Any, state: State) -> Iterator[Any]:
    """Yield the elements of ``value``, if it is a list, then the values of ``arguments``.

    Raises BudgetExceeded.
    """
    own = value if isinstance(value, list) else ()
    return in_time(chain(own, _values(arguments, state)), state)


def in_time(values: Iterable[Any], state: State) -> Iterator[Any]:
    """Yield ``values``, checking the time budget before each 64. Raises BudgetExceeded."""
    for number, value in enumerate(values):
        if not number & 63:
            state.budget.check()
        yield value


def _values(arguments: Sequence[Argument], state: State) -> Iterator[Any]:
    """Yield the values of the arguments; for a list, its elements."""
    for argument in arguments:
        value = _value(argument, state)
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _value(argument: Argument, state: State) -> Any:
    return argument.value(state.root, state) if isinstance(argument, Selection) else argument


def _length(value: Any, arguments: Sequence[Argument], state: State) -> Any:
    """Return the length of ``value``; with a path, as Jayway counts the children of the selected values."""
    for path in arguments[:1]:
        below = [
            child
            for node in in_time(path.nodes(state.root, state), state)
            if isinstance(node.value, dict | list)
            for child in (node.value.values() if isinstance(node.value, dict) else node.value)
        ]
        if not path.definite:
            return len(below)
        if not below:
            raise NotFound
        if isinstance(below[-1], list):
            return len(below[-1])
    return len(value) if isinstance(value, dict | list) else None


def _keys(value: Any, arguments: Sequence[Argument], state: State) -> Any:
    return list(value) if isinstance(value, dict) else None


def _of_numbers(apply: Callable[[list[float]], float]) -> Function:
    def function(value: Any, arguments: Sequence[Argument], state: State) -> Any:
        numbers = [double(one) for one in _own_and(arguments, value, state) if is_number(one)]
        if not numbers:
            raise JaywayError
        return apply(numbers)

    return function


def _deviation(numbers: list[float]) -> float:
    count, total = len(numbers), sum(numbers)
    variance = sum(one * one for one in numbers) / count - total * total / count / count
    return sqrt(variance) if variance >= 0 else nan


def _at(index: int) -> Function:
    return lambda value, arguments, state: _element(value, index)


def _index(value: Any, arguments: Sequence[Argument], state: State) -> Any:
    for number in _values(arguments, state):
        if is_number(number) and abs(number) < 1 << 31:
            return _element(value, int(number))
    raise JaywayError


def _element(value: Any, index: int) -> Any:
    """Return the element at ``index``. In Jayway, no negative index selects the first element."""
    if not isinstance(value, list):
        raise JaywayError
    index = index if index >= 0 else len(value) + index or -1
    if not 0 <= index < len(value):
        raise JaywayError
    return value[index]


def _concat(value: Any, arguments: Sequence[Argument], state: State) -> str:
    own = value if isinstance(value, list) else ()
    pieces, size = [one for one in in_time(own, state) if isinstance(one, str)], 0
    pieces += [_text(one) for one in in_time(_values(arguments, state), state) if one is not None]
    for piece in pieces:
        size += len(piece)
        if size > _MAX_TEXT:
            raise BudgetExceeded(f"concat() returns more than {_MAX_TEXT} characters")
    return "".join(pieces)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise JaywayError
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else double_text(value)


def _append(value: Any, arguments: Sequence[Argument], state: State) -> Any:
    return [*value, *arguments] if isinstance(value, list) else value


FUNCTIONS: dict[str, Function] = {
    "length": _length,
    "size": _length,
    "keys": _keys,
    "min": _of_numbers(min),
    "max": _of_numbers(max),
    "sum": _of_numbers(sum),
    "avg": _of_numbers(lambda numbers: sum(numbers) / len(numbers)),
    "stddev": _of_numbers(_deviation),
    "first": _at(0),
    "last": _at(-1),
    "index": _index,
    "concat": _concat,
    "append": _append,
}
