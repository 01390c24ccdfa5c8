"""matchesJsonPath: what a JSONPath selects must be there, or pass an operator.

``matching.jsonpath``, which has the paths, loads with the first expression.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from oagw.java.number import double_text
from oagw.matching.condition import Condition, document
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import Effort

if TYPE_CHECKING:
    from oagw.matching.jsonpath import Path

_MAX_LENGTH = 1_000


def json_path_condition(expression: str, inner: Condition | None, at: str) -> Condition:
    """What ``expression`` selects must exist and hold something, or pass ``inner``; raises Invalid."""
    path = path_of(expression, at)
    if inner is None:

        def exists(text: str | None, call: Call, now: float) -> bool:
            selected = _selected(path, text, call)
            return selected is not None and selected not in ([], {})

        return Condition(exists, expression, "matchesJsonPath", where=expression)

    def passes(text: str | None, call: Call, now: float) -> bool:
        selected = _selected(path, text, call)
        if selected is None or selected == []:
            return inner.on_absent
        if isinstance(selected, list) and not inner.whole:
            return any(inner.test(_text(item, call), call, now) for item in selected)
        return inner.test(_text(selected, call), call, now)

    return Condition(passes, f"{expression} {inner.expected}", "matchesJsonPath", where=expression)


def path_of(expression: str, at: str) -> "Path":
    """``expression`` as a Path; raises Invalid."""
    if not expression.strip() or len(expression) > _MAX_LENGTH:
        raise Invalid(at, f"a JSONPath has 1 to {_MAX_LENGTH} characters")
    from oagw.matching.jsonpath import BadPath, read

    try:
        return read(expression, at)
    except BadPath as error:
        raise Invalid(at, f"not a JSONPath that is supported: {expression}: {error}") from None


def selector(expression: str, at: str) -> Callable[[Any, Call], Any]:
    """What selects from a document: the value or None for a definite path, else a list; raises Invalid.

    The selector raises GaveUp.
    """
    return path_of(expression, at).select


def _selected(path: "Path", text: str | None, call: Call) -> Any:
    try:
        value = document(text, call)
    except ValueError:
        return None
    return path.select(value, call)


def _text(value: Any, call: Call) -> str:
    """A selected value as Java writes it, which is what operators see; raises GaveUp.

    A list may have the same large value in it many times, at every level that ``..`` came to.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return double_text(value)
    with Effort(call, "a JSONPath") as effort:
        if not isinstance(value, list):
            return _json(value)
        pieces = []
        for item in value:
            effort.check()
            pieces.append(_json(item))
    return f"[{','.join(pieces)}]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
