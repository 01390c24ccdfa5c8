"""The operator matchesJsonPath: the selected value must exist, or match another operator.

``matching.jsonpath``, which implements the paths, is imported with the first expression.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from oagw.java.number import double_text
from oagw.matching.condition import Condition, document
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import MatchBudget

if TYPE_CHECKING:
    from oagw.matching.jsonpath import Path

_MAX_LENGTH = 1_000


def json_path_condition(expression: str, inner: Condition | None, at: str) -> Condition:
    """Return a Condition: ``expression`` must select a non-empty value, or one that matches ``inner``.

    Raises Invalid.
    """
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
    """Parse ``expression``. Raises Invalid."""
    if not expression.strip() or len(expression) > _MAX_LENGTH:
        raise Invalid(at, f"A JSONPath must have 1 to {_MAX_LENGTH} characters")
    from oagw.matching.jsonpath import BadPath, read

    try:
        return read(expression, at)
    except BadPath as error:
        raise Invalid(at, f"Invalid or unsupported JSONPath: {expression}: {error}") from None


def selector(expression: str, at: str) -> Callable[[Any, Call], Any]:
    """Return a function that applies ``expression`` to a document. Raises Invalid.

    For a definite path, the function returns the value or None, else a list. It raises BudgetExceeded.
    """
    return path_of(expression, at).select


def _selected(path: "Path", text: str | None, call: Call) -> Any:
    try:
        value = document(text, call)
    except ValueError:
        return None
    return path.select(value, call)


def _text(value: Any, call: Call) -> str:
    """Return the text of a selected value, as Java writes it, for the inner operator.

    A list may contain the same large value many times, once for each level of ``..``. Raises
    BudgetExceeded.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return double_text(value)
    with MatchBudget(call, "a JSONPath") as budget:
        if not isinstance(value, list):
            return _json(value)
        pieces = []
        for item in value:
            budget.check()
            pieces.append(_json(item))
    return f"[{','.join(pieces)}]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
