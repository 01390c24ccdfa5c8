"""The operator equalToJson, which compares JSON as WireMock (json-unit) does, at a bounded cost."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from oagw.matching.condition import Condition, document
from oagw.matching.difference import Difference
from oagw.matching.json_comparison import JsonComparison, Placeholders
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import MatchBudget

T = TypeVar("T")

_MAX_LENGTH = 1 << 20


def json_equal_condition(spec: Operator, at: str) -> Condition:
    """Compile the operator equalToJson. Raises Invalid."""
    given = spec.equalToJson
    try:
        expected = json.loads(given, parse_constant=_no_constant) if isinstance(given, str) else given
        shown = json.dumps(expected, ensure_ascii=False)
        if len(shown) > _MAX_LENGTH:
            raise Invalid(at, f"equalToJson is longer than {_MAX_LENGTH} characters")
        shown.encode()  # raises UnicodeEncodeError, a ValueError, for a lone surrogate
        has_placeholders = "{json-unit." in shown
        if has_placeholders:
            expected = Placeholders(at).of(expected)
        any_order, extra = bool(spec.ignoreArrayOrder), bool(spec.ignoreExtraElements)
        # Without placeholders and extra members, comparing canonical texts suffices.
        canonical = _canonical(expected) if any_order and not has_placeholders and not extra else None
    except ValueError as error:
        raise Invalid(at, f"equalToJson is not valid JSON: {error}") from None
    except RecursionError:
        raise Invalid(at, "equalToJson is nested too deeply") from None

    def test(text: str | None, call: Call, now: float) -> bool:
        try:
            actual = document(text, call)
        except ValueError:
            return False
        with MatchBudget(call, "equalToJson") as budget:
            if canonical is not None:
                return canonical == _canonical(actual, budget)
            return JsonComparison(any_order, extra, call, budget).fits(expected, actual)

    def differences(text: str | None, call: Call) -> Iterator[Difference]:
        try:
            actual = document(text, call)
        except ValueError:
            return
        with MatchBudget(call, "equalToJson") as budget:
            yield from JsonComparison(any_order, extra, call, budget).differences(expected, actual)

    return Condition(test, shown, "equalToJson", shown, whole=True, differences=differences)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not valid in JSON")


def _canonical(value: Any, budget: MatchBudget | None = None) -> str:
    """Return a text that is the same for values that are equal in any order; 1.0 equals 1."""
    if isinstance(value, dict):
        pairs = ((json.dumps(key), item) for key, item in _in_time(value.items(), budget))
        return "{" + ",".join(sorted(key + _canonical(item, budget) for key, item in pairs)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted(_canonical(item, budget) for item in _in_time(value, budget))) + "]"
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _in_time(items: Iterable[T], budget: MatchBudget | None) -> Iterable[T]:
    """Yield ``items``, checking the time budget before each 256."""
    if budget is None:
        return items
    return _checked(items, budget)


def _checked(items: Iterable[T], budget: MatchBudget) -> Iterator[T]:
    for count, item in enumerate(items):
        if count & 0xFF == 0:
            budget.check()
        yield item
