"""equalToJson: two JSON values compared as WireMock does (json-unit), at a bounded cost."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from oagw.matching.condition import Condition, document
from oagw.matching.difference import Difference
from oagw.matching.json_comparison import Comparison, Placeholders
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import Effort

T = TypeVar("T")

_MAX_LENGTH = 1 << 20


def json_equal_condition(spec: Operator, at: str) -> Condition:
    """The operator equalToJson; raises Invalid."""
    given = spec.equalToJson
    try:
        expected = json.loads(given, parse_constant=_no_constant) if isinstance(given, str) else given
        shown = json.dumps(expected, ensure_ascii=False)
        if len(shown) > _MAX_LENGTH:
            raise Invalid(at, f"equalToJson may have {_MAX_LENGTH} characters")
        shown.encode()  # half a surrogate pair is not JSON
        has_placeholders = "{json-unit." in shown
        if has_placeholders:
            expected = Placeholders(at).of(expected)
        any_order, extra = bool(spec.ignoreArrayOrder), bool(spec.ignoreExtraElements)
        # Without placeholders and extras this is an equivalence: no need to search.
        canonical = _canonical(expected) if any_order and not has_placeholders and not extra else None
    except Invalid:
        raise
    except ValueError as error:
        raise Invalid(at, f"equalToJson is not valid JSON: {error}") from None
    except RecursionError:
        raise Invalid(at, "equalToJson is nested too deeply") from None

    def test(text: str | None, call: Call, now: float) -> bool:
        try:
            actual = document(text, call)
        except ValueError:
            return False
        with Effort(call, "equalToJson") as effort:
            if canonical is not None:
                return canonical == _canonical(actual, effort)
            return Comparison(any_order, extra, call, effort).fits(expected, actual)

    def differences(text: str | None, call: Call) -> Iterator[Difference]:
        try:
            actual = document(text, call)
        except ValueError:
            return
        with Effort(call, "equalToJson") as effort:
            yield from Comparison(any_order, extra, call, effort).differences(expected, actual)

    return Condition(test, shown, "equalToJson", shown, whole=True, differences=differences)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _canonical(value: Any, effort: Effort | None = None) -> str:
    """A text that is the same for JSON that is equal in any order; 1.0 is 1."""
    if isinstance(value, dict):
        pairs = ((json.dumps(key), item) for key, item in _in_time(value.items(), effort))
        return "{" + ",".join(sorted(key + _canonical(item, effort) for key, item in pairs)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted(_canonical(item, effort) for item in _in_time(value, effort))) + "]"
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _in_time(items: Iterable[T], effort: Effort | None) -> Iterable[T]:
    """``items``, with a look at the clock before the first and every 256 after it."""
    if effort is None:
        return items
    return _checked(items, effort)


def _checked(items: Iterable[T], effort: Effort) -> Iterator[T]:
    for count, item in enumerate(items):
        if count & 0xFF == 0:
            effort.check()
        yield item
