"""Short ways to a pattern and to what it says."""

from typing import Any

from oagw.matching.pattern import Pattern, compiled
from oagw.matching.spec import RequestPattern
from oagw.model.call import Call
from oagw.model.document import converted
from oagw.model.invalid import Invalid

# 2021-05-20T12:00:00Z
NOW = 1_621_512_000.0


def pattern(document: Any) -> Pattern:
    return compiled(converted(document, RequestPattern, "/request"), "/request")


def refusal(document: Any) -> tuple[str, str]:
    """Where and why ``document`` is refused."""
    try:
        pattern(document)
    except Invalid as invalid:
        return invalid.pointer, invalid.detail
    raise AssertionError("it was accepted")


def matches_body(operator: Any, body: str | bytes) -> bool:
    data = body.encode() if isinstance(body, str) else body
    return pattern({"bodyPatterns": [operator]}).matches(Call("POST", "/x", body=data), NOW)
