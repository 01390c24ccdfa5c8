"""Where two JSON values differ, member by member, and where two texts begin to."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

# A member name that needs no quotes in a path.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PLACEHOLDER = re.compile(r"[$#]\{json-unit\.([a-z-]+)")
_KINDS: dict[str, type | tuple[type, ...]] = {
    "any-string": str,
    "any-number": (int, float),
    "any-boolean": bool,
}
_DEPTH = 100


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


class Comparison:
    """How JSON is compared: with ``extra``, members and items that are not expected are no difference; with
    ``any_order``, items of arrays may stand anywhere. The placeholders of json-unit match what they say.
    """

    def __init__(self, *, extra: bool = False, any_order: bool = False) -> None:
        self._extra = extra
        self._any_order = any_order

    def differences(
        self, expected: Any, actual: Any, path: str = "$", depth: int = 0
    ) -> Iterator[Difference]:
        """Each place where ``actual`` is not as ``expected``."""
        if isinstance(expected, dict) and isinstance(actual, dict) and depth < _DEPTH:
            yield from self._members(expected, actual, path, depth + 1)
        elif isinstance(expected, list) and isinstance(actual, list) and depth < _DEPTH:
            yield from self._items(expected, actual, path, depth + 1)
        elif not _same(expected, actual):
            yield Difference(path, expected, actual)

    def _members(
        self, expected: dict[str, Any], actual: dict[str, Any], path: str, depth: int
    ) -> Iterator[Difference]:
        for name, value in expected.items():
            at = _member(path, name)
            if name in actual:
                yield from self.differences(value, actual[name], at, depth)
            elif _placeholder(value) != "ignore-element":
                yield Difference(at, value, NOTHING)
        if not self._extra:
            for name, value in actual.items():
                if name not in expected:
                    yield Difference(_member(path, name), NOTHING, value)

    def _items(self, expected: list[Any], actual: list[Any], path: str, depth: int) -> Iterator[Difference]:
        wanted, there = list(enumerate(expected)), list(enumerate(actual))
        if self._any_order and len(wanted) * len(there) <= 10_000:
            for one in tuple(wanted):
                found = next(
                    (i for i, (_, v) in enumerate(there) if not self._differ(one[1], v, depth)), None
                )
                if found is not None:
                    wanted.remove(one)
                    del there[found]
        for (index, value), (_, received) in zip(wanted, there, strict=False):
            yield from self.differences(value, received, f"{path}[{index}]", depth)
        for index, value in wanted[len(there) :]:
            yield Difference(f"{path}[{index}]", value, NOTHING)
        if not self._extra:
            for index, value in there[len(wanted) :]:
                yield Difference(f"{path}[{index}]", NOTHING, value)

    def _differ(self, expected: Any, actual: Any, depth: int) -> bool:
        return next(self.differences(expected, actual, "", depth), None) is not None


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
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
        text = mask(text)
    except RecursionError:
        return "(nested too deeply)"
    return text if len(text) <= limit else text[:limit] + "..."


def _member(path: str, name: str) -> str:
    return path + (f".{name}" if _NAME.fullmatch(name) else f"[{json.dumps(name)}]")


def _same(expected: Any, actual: Any) -> bool:
    kind = _placeholder(expected)
    if kind is not None:
        return isinstance(actual, _KINDS.get(kind, object)) and (
            kind != "any-number" or not isinstance(actual, bool)
        )
    return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)


def _placeholder(value: Any) -> str | None:
    found = _PLACEHOLDER.match(value) if isinstance(value, str) else None
    return found and found[1]
