"""Values of expressions: how members are looked up, and how values are written.

As in WireMock, maps and lists are written as Java's toString does, and those from ``jsonPath`` as JSON.
"""

import json
from collections.abc import Callable
from typing import Any

from oagw.java.date import Moment
from oagw.java.number import double_text


class MultiValue(list[str]):
    """The values of one header field, query parameter or cookie. It is written as the first one."""


class Segments(list[str]):
    """The segments of a path, some of which have ``names``. They are written as the path."""

    def __init__(self, path: str, names: dict[str, str]) -> None:
        super().__init__(path.split("/")[1:] if path != "/" else ())
        self.path = path
        self.names = names


class Fields(dict[str, MultiValue]):
    """Header fields by name. Names are case-insensitive."""

    def get(self, name: str, default: Any = None) -> Any:
        return next((values for key, values in self.items() if key.lower() == name.lower()), default)


class JsonList(list[Any]):
    """A list from ``jsonPath``."""


class JsonMap(dict[str, Any]):
    """A map from ``jsonPath``."""


class LazyObject:
    """A value whose members are computed on access."""

    def member(self, name: str) -> Any:
        """Return the member with this name, or None."""
        raise NotImplementedError


def step(value: Any, name: str) -> Any:
    """Return the member ``name`` of ``value``, or None."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, LazyObject):
        return value.member(name)
    if isinstance(value, Segments) and name in value.names:
        return value.names[name]
    if isinstance(value, list):
        if name.isdecimal() and len(name) < 10:
            return value[int(name)] if int(name) < len(value) else None
        if name in ("length", "size"):
            return len(value)
        if isinstance(value, MultiValue) and name in ("first", "last"):
            return value[0 if name == "first" else -1]
    if isinstance(value, str) and name == "length":
        return len(value)
    return None


def listed(values: list[Any]) -> list[Any] | None:
    """Return ``values``, or the members of the first one if it is a list; None if there are none."""
    if not values or values[0] is None:
        return None
    return values[0] if isinstance(values[0], list) else values


def truth(value: Any) -> bool:
    """Return whether ``value`` is truthy. As in Handlebars.java, an empty map is."""
    return bool(value) or isinstance(value, dict | Moment | LazyObject)


def plain(value: Any) -> str | None:
    """Return ``value`` as it is written, or None for lists and maps."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, MultiValue):
        return value[0] if value else ""
    if isinstance(value, Segments):
        return value.path
    if isinstance(value, dict | list):
        return None
    return str(value)


# The work of a piece of output, in addition to its length.
_PIECE = 16


class Writer:
    """Write lists and maps. ``spend`` is called for each piece, and raises at the limit.

    As in Jackson, null members are left out of JSON with line breaks unless ``nulls`` is true. They are left
    out of compact JSON only with ``drop_nulls``. A list can contain another list many times, so a value that
    is small in memory may be huge as text.
    """

    def __init__(
        self, spend: Callable[[int], None], *, nulls: bool = False, drop_nulls: bool = False
    ) -> None:
        self._spend = spend
        self._nulls = nulls
        self._drop_nulls = drop_nulls
        self._pieces: list[str] = []

    def java(self, value: Any) -> str:
        """Return ``value`` as Java's toString does, or as JSON if it is from ``jsonPath``."""
        if isinstance(value, JsonMap):
            self._pretty(value, 0)
        else:
            self._java(value)
        return "".join(self._pieces)

    def compact(self, value: Any) -> str:
        """Return ``value`` as JSON without white space."""
        self._compact(value)
        return "".join(self._pieces)

    def pretty(self, value: Any) -> str:
        """Return ``value`` as JSON with line breaks, in Jackson's format."""
        self._pretty(value, 0)
        return "".join(self._pieces)

    def _put(self, piece: str) -> None:
        self._spend(len(piece) + _PIECE)
        self._pieces.append(piece)

    def _java(self, value: Any) -> None:
        if isinstance(value, JsonList):
            text = Writer(self._spend).compact(value)
            self._put(text.replace("/", "\\/").replace("\u2028", "\\u2028"))
        elif isinstance(value, list) and not isinstance(value, MultiValue | Segments):
            self._joined("[", ", ", "]", value, self._java)
        elif isinstance(value, dict):
            self._joined("{", ", ", "}", value.items(), self._java_item)
        else:
            self._put("null" if value is None else plain(value) or "")

    def _java_item(self, item: tuple[str, Any]) -> None:
        self._put(f"{item[0]}=")
        self._java(item[1])

    def _compact(self, value: Any) -> None:
        if isinstance(value, dict):
            items = value.items()
            kept = [item for item in items if item[1] is not None] if self._drop_nulls else items
            self._joined("{", ",", "}", kept, self._compact_item)
        elif isinstance(value, list):
            self._joined("[", ",", "]", value, self._compact)
        else:
            self._atom(value)

    def _compact_item(self, item: tuple[str, Any]) -> None:
        self._put(json.dumps(item[0], ensure_ascii=False) + ":")
        self._compact(item[1])

    def _pretty(self, value: Any, depth: int) -> None:
        if isinstance(value, MultiValue) and len(value) == 1:
            self._atom(value[0])
        elif isinstance(value, dict):
            line = "\n" + "  " * (depth + 1)

            def write(item: tuple[str, Any]) -> None:
                self._put(json.dumps(item[0], ensure_ascii=False) + " : ")
                self._pretty(item[1], depth + 1)

            items = [item for item in value.items() if item[1] is not None or self._nulls]
            ends = ("{" + line, "\n" + "  " * depth + "}") if items else ("{ ", "}")
            self._joined(ends[0], "," + line, ends[1], items, write)
        elif isinstance(value, list):
            ends = ("[ ", " ]") if value else ("[ ", "]")
            self._joined(ends[0], ", ", ends[1], value, lambda each: self._pretty(each, depth))
        else:
            self._atom(value)

    def _atom(self, value: Any) -> None:
        bare = value is None or isinstance(value, bool | int | float)
        self._put(plain(value) or "null" if bare else json.dumps(plain(value), ensure_ascii=False))

    def _joined(self, start: str, between: str, end: str, values: Any, write: Callable[[Any], None]) -> None:
        self._put(start)
        for index, value in enumerate(values):
            if index:
                self._put(between)
            write(value)
        self._put(end)
