"""Values of expressions: what ``a.b`` finds in them, and how they look when written.

Maps and lists look as Java prints them; those that came from ``jsonPath`` look like JSON, as in WireMock.
"""

import json
from collections.abc import Callable
from typing import Any

from oagw.java.date import Moment
from oagw.java.number import double_text


class Several(list[str]):
    """The values of one header field, query parameter or cookie; written, the first of them."""


class Segments(list[str]):
    """The segments of a path, some with ``names``; written, the path."""

    def __init__(self, path: str, names: dict[str, str]) -> None:
        super().__init__(path.split("/")[1:] if path != "/" else ())
        self.path = path
        self.names = names


class Fields(dict[str, Several]):
    """Header fields by their names, in any case."""

    def get(self, name: str, default: Any = None) -> Any:
        return next((values for key, values in self.items() if key.lower() == name.lower()), default)


class JsonList(list[Any]):
    """A list within what ``jsonPath`` found."""


class JsonMap(dict[str, Any]):
    """A map that ``jsonPath`` found."""


class Model:
    """A value whose members are computed when they are asked for."""

    def member(self, name: str) -> Any:
        """The member with this name, or None."""
        raise NotImplementedError


def step(value: Any, name: str) -> Any:
    """The member ``name`` of ``value``, None if it has none."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, Model):
        return value.member(name)
    if isinstance(value, Segments) and name in value.names:
        return value.names[name]
    if isinstance(value, list):
        if name.isdecimal() and len(name) < 10:
            return value[int(name)] if int(name) < len(value) else None
        if name in ("length", "size"):
            return len(value)
        if isinstance(value, Several) and name in ("first", "last"):
            return value[0 if name == "first" else -1]
    if isinstance(value, str) and name == "length":
        return len(value)
    return None


def listed(values: list[Any]) -> list[Any] | None:
    """``values``, or those of the list that comes first; None if there is nothing."""
    if not values or values[0] is None:
        return None
    return values[0] if isinstance(values[0], list) else values


def truth(value: Any) -> bool:
    """Whether ``value`` counts as true; an empty map does, in Handlebars.java."""
    return bool(value) or isinstance(value, dict | Moment | Model)


def plain(value: Any) -> str | None:
    """``value`` as it is written, None for lists and maps."""
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
    if isinstance(value, Several):
        return value[0] if value else ""
    if isinstance(value, Segments):
        return value.path
    if isinstance(value, dict | list):
        return None
    return str(value)


# What a piece costs besides its length.
_PIECE = 16


class Writer:
    """Writes lists and maps; ``spend`` is told of each piece and raises when there are too many.

    Members that are null are left out of JSON with line breaks, but for ``nulls``, as Jackson does it; with
    ``drop_nulls``, out of JSON without.
    One list can contain another many times over, so what is small in memory may be endless as text.
    """

    def __init__(
        self, spend: Callable[[int], None], *, nulls: bool = False, drop_nulls: bool = False
    ) -> None:
        self._spend = spend
        self._nulls = nulls
        self._drop_nulls = drop_nulls
        self._pieces: list[str] = []

    def java(self, value: Any) -> str:
        """``value`` as Java prints it, or as JSON what ``jsonPath`` found."""
        if isinstance(value, JsonMap):
            self._pretty(value, 0)
        else:
            self._java(value)
        return "".join(self._pieces)

    def compact(self, value: Any) -> str:
        """``value`` as JSON without white space."""
        self._compact(value)
        return "".join(self._pieces)

    def pretty(self, value: Any) -> str:
        """``value`` as JSON with line breaks, as Jackson writes it."""
        self._pretty(value, 0)
        return "".join(self._pieces)

    def _put(self, piece: str) -> None:
        self._spend(len(piece) + _PIECE)
        self._pieces.append(piece)

    def _java(self, value: Any) -> None:
        if isinstance(value, JsonList):
            text = Writer(self._spend).compact(value)
            self._put(text.replace("/", "\\/").replace("\u2028", "\\u2028"))
        elif isinstance(value, list) and not isinstance(value, Several | Segments):
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
        if isinstance(value, Several) and len(value) == 1:
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
