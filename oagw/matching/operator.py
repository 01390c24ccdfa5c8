"""Compile operators into Conditions: strings and logic here, the others in their own modules."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from msgspec import UNSET
from msgspec.structs import fields

from oagw.java.regex import Expression
from oagw.matching.condition import Condition, Test
from oagw.matching.date import date_condition
from oagw.matching.json_equal import json_equal_condition
from oagw.matching.json_path import json_path_condition
from oagw.matching.json_schema import json_schema_condition
from oagw.matching.number import NAMES, number_condition
from oagw.matching.spec import JsonPath, Operator, ValuesOperator
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.suggestion import suggestion
from oagw.model.time_budget import check_time

# The limits of one pattern: the nesting of operators, their number, and the total length of their regular
# expressions, which take about 8 ms per thousand characters to compile.
_MAX_DEPTH = 20
MAX_OPERATORS = 1_000
MAX_EXPRESSIONS = 20_000

_DATE_OPTIONS = (
    "actualFormat",
    "truncateExpected",
    "truncateActual",
    "applyTruncationLast",
    "expectedOffset",
    "expectedOffsetUnit",
)
_PLAIN = (
    *("contains", "doesNotContain", "matches", "doesNotMatch", "absent", "anything"),
    *("matchesJsonPath", "binaryEqualTo", "hasExactly", "includes", "and", "or", "not"),
)

# The options of each operator.
OPTIONS: dict[str, tuple[str, ...]] = {
    "equalTo": ("caseInsensitive",),
    "equalToJson": ("ignoreArrayOrder", "ignoreExtraElements"),
    "matchesJsonSchema": ("schemaVersion",),
    **dict.fromkeys(("before", "after", "equalToDateTime"), _DATE_OPTIONS),
    **dict.fromkeys((*_PLAIN, *NAMES), ()),
}


def given(spec: Operator) -> dict[str, Any]:
    """Return the members of ``spec`` that are set, by their JSON names."""
    pairs = ((name, getattr(spec, attribute)) for attribute, name in _names(type(spec)))
    return {name: value for name, value in pairs if value is not (UNSET if name == "equalToJson" else None)}


@cache
def _names(type: type[Operator]) -> list[tuple[str, str]]:
    """Return the Python and JSON names of the members of ``type``. Cached, because msgspec is slow at it."""
    return [(one.name, one.encode_name) for one in fields(type)]


def operator_of(spec: Operator, pointer: str) -> str:
    """Return the name of the only operator in ``spec``. Raises Invalid."""
    members = given(spec)
    members.pop("expression", None)
    names = [name for name in members if name in OPTIONS]
    if len(names) != 1:
        what = "Expected one operator, got " + (", ".join(names) or "none")
        raise Invalid(pointer, what)
    for name in members:
        if name != names[0] and name not in OPTIONS[names[0]]:
            detail = f"{names[0]} has no option {name}{suggestion(name, OPTIONS[names[0]])}"
            raise Invalid(f"{pointer}/{name}", detail)
    return names[0]


def check_number(specs: Iterable[Operator], pointer: str) -> None:
    """Raise Invalid if ``specs`` exceed MAX_OPERATORS or MAX_EXPRESSIONS."""
    waiting, seen, length = list(specs), 0, 0
    while waiting:
        spec = waiting.pop()
        seen += 1
        if seen + len(waiting) > MAX_OPERATORS:
            raise Invalid(pointer, f"More than {MAX_OPERATORS} operators in one pattern")
        length += len(spec.matches or spec.doesNotMatch or "")
        path = spec.matchesJsonPath
        length += len(path.expression if isinstance(path, JsonPath) else path or "")
        if length > MAX_EXPRESSIONS:
            raise Invalid(pointer, f"More than {MAX_EXPRESSIONS} characters of expressions in one pattern")
        waiting += [*(spec.and_ or ()), *(spec.or_ or ())]
        waiting += [one for one in (spec.not_, spec.matchesJsonPath) if isinstance(one, Operator)]
        if isinstance(spec, ValuesOperator):
            waiting += [*(spec.hasExactly or ()), *(spec.includes or ())]


def condition(spec: Operator, pointer: str, depth: int = 0) -> Condition:
    """Compile ``spec``, which is at ``pointer`` in the document. Raises Invalid.

    The test of the Condition raises BudgetExceeded if the time budget of the call is used up.
    """
    name = operator_of(spec, pointer)
    built = _condition(name, spec, pointer, depth)
    return built._replace(test=_in_time(name, built.test))


def _in_time(name: str, test: Test) -> Test:
    def in_time(text: str | None, call: Call, now: float) -> bool:
        check_time(call, name)
        return test(text, call, now)

    return in_time


def _condition(name: str, spec: Operator, pointer: str, depth: int) -> Condition:
    at = f"{pointer}/{name}"
    if depth > _MAX_DEPTH:
        raise Invalid(at, "Operators are nested too deeply")
    if name in _SIMPLE:
        return _SIMPLE[name](spec, at)
    if name == "not":
        assert spec.not_ is not None
        inner = condition(spec.not_, at, depth + 1)
        negated = inner.test
        return Condition(lambda text, call, now: not negated(text, call, now), inner.expected, "not")
    if name in ("and", "or"):
        return _joined(name, spec.and_ or spec.or_ or [], at, depth)
    if name == "matchesJsonPath":
        path = spec.matchesJsonPath
        assert path is not None
        if isinstance(path, str):
            return json_path_condition(path, None, at)
        return json_path_condition(path.expression, condition(path, at, depth + 1), f"{at}/expression")
    raise Invalid(at, f"{name} is not supported here")


def _joined(name: str, specs: list[Operator], at: str, depth: int) -> Condition:
    if not specs:
        raise Invalid(at, f"{name} requires at least one operator")
    parts = [condition(spec, f"{at}/{index}", depth + 1) for index, spec in enumerate(specs)]
    tests = [part.test for part in parts]
    combined = all if name == "and" else any
    return Condition(
        lambda text, call, now: combined(test(text, call, now) for test in tests),
        f" {name.upper()} ".join(part.expected for part in parts),
    )


def _equal_to(spec: Operator, at: str) -> Condition:
    wanted = spec.equalTo
    assert wanted is not None
    if spec.caseInsensitive:
        lower = wanted.lower()
        return Condition(
            lambda text, call, now: text is not None and _lower(text, call) == lower, wanted, "", wanted
        )
    return Condition(lambda text, *_: text == wanted, wanted, "", wanted)


def _lower(text: str, call: Call) -> str:
    # The call caches the body in lower case, because many stubs may need it.
    return call.folded_text if text is call.text else text.lower()


def _contains(spec: Operator, at: str) -> Condition:
    wanted = spec.contains
    assert wanted is not None
    return Condition(lambda text, *_: text is not None and wanted in text, wanted, "contains")


def _does_not_contain(spec: Operator, at: str) -> Condition:
    unwanted = spec.doesNotContain
    assert unwanted is not None
    return Condition(lambda text, *_: text is None or unwanted not in text, unwanted, "does not contain")


def _matches(spec: Operator, at: str) -> Condition:
    expression = Expression(spec.matches or "", at)
    return Condition(
        lambda text, call, now: text is not None and expression.matches(text, call),
        expression.pattern,
        "matches",
    )


def _does_not_match(spec: Operator, at: str) -> Condition:
    expression = Expression(spec.doesNotMatch or "", at)
    return Condition(
        lambda text, call, now: text is None or not expression.matches(text, call),
        expression.pattern,
        "does not match",
    )


def _absent(spec: Operator, at: str) -> Condition:
    # WireMock ignores the value, so false would mean the same as true. Reject it.
    if spec.absent is False:
        raise Invalid(at, 'absent must be true; for a required value, use {"not": {"absent": true}}')
    return Condition(lambda text, *_: text is None, "[absent]", on_absent=True)


def _anything(spec: Operator, at: str) -> Condition:
    return Condition(lambda text, *_: True, "[anything]")


_SIMPLE: dict[str, Callable[[Operator, str], Condition]] = {
    "equalTo": _equal_to,
    "contains": _contains,
    "doesNotContain": _does_not_contain,
    "matches": _matches,
    "doesNotMatch": _does_not_match,
    "absent": _absent,
    "anything": _anything,
    "equalToJson": json_equal_condition,
    "matchesJsonSchema": json_schema_condition,
    "before": date_condition,
    "after": date_condition,
    "equalToDateTime": date_condition,
    **dict.fromkeys(NAMES, number_condition),
}
