"""matchesJsonPath: python-jsonpath made to select as Jayway's JsonPath does, which WireMock uses.

What of Jayway's dialect is not there is refused when the pattern is made: ``nin``, ``size``, ``empty``,
``anyof``, ``subsetof`` and functions elsewhere than at the end (``length()`` and ``size()`` also in filters).
Filters may be written as in RFC 9535 as well. The library loads with the first expression.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from oagw.control.invalid import Invalid
from oagw.control.number import double, double_text
from oagw.control.pattern.condition import Condition, document
from oagw.model.call import Call

_MAX_LENGTH = 1_000

# A function at the end; and length within a filter, between what is not to be touched: texts, expressions.
_FUNCTION = re.compile(r"(.*)\.(length|size|keys|min|max|sum|avg)\(\)", re.DOTALL)
_INNER_LENGTH = re.compile(
    r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|/(?:[^/\\]|\\.)*/|(?P<path>@(?:\.\w+|\[\d+\])*)\.(?:length|size)\(\)"
)


def json_path_condition(expression: str, inner: Condition | None, at: str) -> Condition:
    """What ``expression`` selects must exist and hold something, or pass ``inner``; raises Invalid."""
    select = selector(expression, at)
    if inner is None:

        def exists(text: str | None, call: Call, now: float) -> bool:
            selected = _selected(select, text, call)
            return selected is not None and selected not in ([], {})

        return Condition(exists, f"[matchesJsonPath] {expression}", where=expression)

    def passes(text: str | None, call: Call, now: float) -> bool:
        selected = _selected(select, text, call)
        if selected is None or selected == []:
            return inner.on_absent
        if isinstance(selected, list) and not inner.whole:
            return any(inner.test(_text(item), call, now) for item in selected)
        return inner.test(_text(selected), call, now)

    return Condition(passes, f"[matchesJsonPath] {expression} {inner.expected}", where=expression)


def selector(expression: str, at: str) -> Callable[[Any, Call], Any]:
    """What selects from a document: the value or None for a definite path, else a list; raises Invalid.

    The selector raises GaveUp.
    """
    if not expression.strip() or len(expression) > _MAX_LENGTH:
        raise Invalid(at, f"a JSONPath has 1 to {_MAX_LENGTH} characters")
    found = _FUNCTION.fullmatch(expression)
    path, function = found.groups() if found else (expression, None)
    path = _INNER_LENGTH.sub(lambda m: f"length({m['path']})" if m["path"] else m[0], path)
    from oagw.control.pattern.jayway import BadPath, Path

    try:
        compiled = Path(path, at)
    except BadPath as error:
        raise Invalid(at, f"not a JSONPath that is supported: {expression}: {error}") from None
    if function is None:
        return compiled.select
    if not compiled.definite:
        raise Invalid(at, f"{function}() needs a path that selects one value: {expression}")
    apply = _functions()[function]
    return lambda value, call: apply(compiled.select(value, call))


@cache
def _functions() -> dict[str, Callable[[Any], Any]]:
    def length(value: Any) -> Any:
        return len(value) if isinstance(value, list | dict) else None

    def of_numbers(apply: Callable[[list[float]], float]) -> Callable[[Any], Any]:
        def function(value: Any) -> Any:
            numbers = [
                double(item)
                for item in (value if isinstance(value, list) else ())
                if type(item) in (int, float)  # and not bool
            ]
            return apply(numbers) if numbers else None

        return function

    return {
        "length": length,
        "size": length,
        "keys": lambda value: list(value) if isinstance(value, dict) else None,
        "min": of_numbers(min),
        "max": of_numbers(max),
        "sum": of_numbers(sum),
        "avg": of_numbers(lambda numbers: sum(numbers) / len(numbers)),
    }


def _selected(select: Callable[[Any, Call], Any], text: str | None, call: Call) -> Any:
    try:
        value = document(text, call)
    except ValueError:
        return None
    return select(value, call)


def _text(value: Any) -> str:
    """A selected value as Java writes it, which is what operators see."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return double_text(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
