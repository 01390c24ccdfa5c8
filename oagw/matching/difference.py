"""A Difference between two JSON values, in words; and where two texts begin to differ."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

# A member name that needs no quotes in a path.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class _Nothing:
    """Instead of a value that is not there."""


NOTHING = _Nothing()


class Difference(NamedTuple):
    """``path`` (a JSONPath) has ``actual`` and not ``expected``; either can be NOTHING."""

    path: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        return self.text(str)

    def text(self, mask: Callable[[str], str]) -> str:
        """This in words, after ``mask`` has taken the secrets out of the values."""
        path = mask(self.path)
        expected, actual = (short(value, mask=mask) for value in (self.expected, self.actual))
        if self.actual is NOTHING:
            return f"{path}  missing, expected {expected}"
        if self.expected is NOTHING:
            return f"{path}  not expected, received {actual}"
        return f"{path}  expected {expected}, received {actual}"


def first_difference(one: str, other: str) -> int:
    """The index at which two texts begin to differ."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def short(value: Any, limit: int = 120, mask: Callable[[str], str] = str) -> str:
    """``value`` as JSON, in at most about ``limit`` characters, cut after ``mask`` has seen it."""
    if value is NOTHING:
        return ""
    try:
        # A lone surrogate, which JSON can have, is no text that could be sent.
        text = json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace").decode()
        text = mask(text)
    except RecursionError:
        return "(nested too deeply)"
    return text if len(text) <= limit else text[:limit] + "..."


def member_path(path: str, name: str) -> str:
    """The path of the member ``name`` of the object at ``path``."""
    return path + (f".{name}" if _NAME.fullmatch(name) else f"[{json.dumps(name)}]")
