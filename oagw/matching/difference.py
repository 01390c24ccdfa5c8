"""Describe how two JSON values differ, and find where two strings begin to differ."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

# A member name that needs no quotes in a path.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

# The length of a value in a description.
_SHORT = 120


class _Nothing:
    """The type of NOTHING, which stands for an absent value."""


NOTHING = _Nothing()


class Difference(NamedTuple):
    """At ``path`` (a JSONPath), the value is ``actual`` instead of ``expected``; either can be NOTHING."""

    path: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        return self.text(str)

    def text(self, mask: Callable[[str], str]) -> str:
        """Return a description, in which ``mask`` has removed secrets from the values."""
        path = mask(self.path)
        expected, actual = (short(value, mask=mask) for value in (self.expected, self.actual))
        if self.actual is NOTHING:
            return f"{path}  missing, expected {expected}"
        if self.expected is NOTHING:
            return f"{path}  not expected, received {actual}"
        return f"{path}  expected {expected}, received {actual}"


def first_difference(one: str, other: str) -> int:
    """Return the index at which two strings begin to differ."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def short(value: Any, mask: Callable[[str], str] = str) -> str:
    """Return ``value`` as JSON, masked, then truncated to about _SHORT characters."""
    if value is NOTHING:
        return ""
    try:
        # JSON can contain lone surrogates, which cannot be encoded.
        text = json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace").decode()
        text = mask(text)
    except RecursionError:
        return "(nested too deeply)"
    return text if len(text) <= _SHORT else text[:_SHORT] + "..."


def member_path(path: str, name: str) -> str:
    """Return the path of the member ``name`` of the object at ``path``."""
    return path + (f".{name}" if _NAME.fullmatch(name) else f"[{json.dumps(name)}]")
