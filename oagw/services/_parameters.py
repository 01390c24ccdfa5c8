"""Read and validate query parameters. Invalid ones raise Refused with their name."""

import re
from collections.abc import Collection, Mapping, Set
from typing import NoReturn, TypeVar

from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.model.suggestion import nearest_first, suggestion
from oagw.web.body import query_pairs

T = TypeVar("T")

_DECIMAL = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)


class Parameters:
    """The query parameters of ``request``. Each may be given only once, but for those in ``repeated``.

    The methods take a parameter's name and the value to return if it is missing. They raise Refused (400) if
    the value is invalid.
    """

    def __init__(self, request: Request, repeated: Collection[str] = ()) -> None:
        self._given: dict[str, str] = {}
        self._known: set[str] = set()
        self._repeated: dict[str, list[str]] = {}
        for name, value in query_pairs(request):
            if name in repeated:
                self._repeated.setdefault(name, []).append(value)
                continue
            if name in self._given:
                self.refuse(name, "is given more than once")
            self._given[name] = value

    @property
    def names(self) -> Set[str]:
        """The names of the given parameters."""
        return self._given.keys()

    def all(self, name: str) -> list[str]:
        """Return all values of a parameter that may be repeated."""
        self._known.add(name)
        return self._repeated.get(name, [])

    def integer(self, name: str, least: int, most: int, default: T) -> int | T:
        """Return an integer from ``least`` to ``most``."""
        text = self._take(name)
        if text is None:
            return default
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 20 or not least <= int(text) <= most:
            self.refuse(name, f"must be a whole number from {least} to {most}, got {text[:40]!r}")
        return int(text)

    def seconds(self, name: str, most: float, default: float) -> float:
        """Return a number of seconds from 0 to ``most``."""
        text = self._take(name)
        if text is None:
            return default
        if not _DECIMAL.fullmatch(text) or float(text) > most:
            self.refuse(name, f"must be a number of seconds from 0 to {most:.0f}, got {text[:40]!r}")
        return float(text)

    def line(self, name: str) -> str | None:
        """Return a string without line ends."""
        text = self._take(name)
        if text is not None and ("\n" in text or "\r" in text):
            self.refuse(name, "must not contain a line end")
        return text

    def choice(self, name: str, choices: Mapping[str, T], default: T) -> T:
        """Return the value of one of ``choices``."""
        text = self._take(name)
        if text is None:
            return default
        if text not in choices:
            self.refuse(name, f"must be one of {', '.join(nearest_first(text, choices))}, got {text[:40]!r}")
        return choices[text]

    def refuse_others(self) -> None:
        """Raise Refused for a parameter that no method was called for: its name may be misspelled."""
        for name in self._given:
            if name not in self._known:
                self.refuse(name, f"is unknown{suggestion(name, sorted(self._known))}")

    def refuse(self, name: str, why: str) -> NoReturn:
        """Raise Refused for the parameter ``name``."""
        raise Refused(400, f"Parameter {name[:100]} {why}", field=name)

    def _take(self, name: str) -> str | None:
        self._known.add(name)
        return self._given.get(name)
