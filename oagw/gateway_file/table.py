"""Table: a table of the file, which reports what is wrong with its values to FileErrors."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from oagw.model.problem import shortened
from oagw.model.suggestion import suggestion

# From this length on, secrets are masked in messages. Shorter ones could be ordinary words.
_SHORTEST = 6

# The largest number of errors that are reported.
_MOST = 300

_NAMES = {
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "a table",
}


class FileErrors:
    """The errors in ``file``, each a line with the file, the key and the reason. ``secrets`` are masked."""

    def __init__(self, file: str) -> None:
        self.secrets: list[str] = []
        self._file = file
        self._found: list[tuple[str, str]] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, key: str, reason: str) -> None:
        """Add an error at ``key``, such as ``upstreams[1].server``; "" if it concerns the whole file."""
        self._found.append((key, reason))

    @property
    def lines(self) -> list[str]:
        """The errors in the order in which they were found."""
        lines = [
            f"{self._file}: {key}: {text}" if key else f"{self._file}: {text}" for key, text in self._found
        ]
        if len(lines) > _MOST:
            lines[_MOST:] = [f"{self._file}: {len(lines) - _MOST} more errors"]
        return list(map(self._masked, lines))

    def _masked(self, line: str) -> str:
        for secret in self.secrets:
            if len(secret) >= _SHORTEST:
                line = line.replace(secret, "***")
        return shortened(" ".join(line.splitlines()))


class Table:
    """The table ``values`` at ``key`` of the file; "" for the whole file."""

    def __init__(self, values: Mapping[str, Any], key: str, errors: FileErrors) -> None:
        self.values = values
        self.key = key
        self.errors = errors

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def path(self, name: str) -> str:
        """Return the key of the member ``name``."""
        return joined(self.key, name)

    def wrong(self, name: str, reason: str) -> None:
        """Report what is wrong with the member ``name``."""
        self.errors.add(self.path(name), reason)

    def check_names(self, known: Iterable[str]) -> None:
        """Report the members that are not ``known``."""
        known = list(known)
        for name in self.values:
            if name not in known:
                self.wrong(name, unknown(name, known))

    def get(self, name: str, *types: type) -> Any:
        """Return the member ``name`` if it has one of ``types``; None without it, or if that is reported."""
        value = self.values.get(name)
        if value is None or type(value) in types:
            return value
        self.wrong(name, f"expected {' or '.join(_NAMES[one] for one in types)}, got {type_of(value)}")
        return None

    def required(self, name: str, *types: type) -> Any:
        """Do the same as ``get``, and report a missing member."""
        if name not in self.values:
            self.wrong(name, "is missing")
        return self.get(name, *types)

    def flag(self, name: str) -> bool:
        """Return a boolean that is false by default."""
        return bool(self.get(name, bool))

    def uuid(self, name: str, required: bool = False) -> UUID | None:
        """Return the UUID in the member ``name``, or None, which is reported if it is ``required``."""
        text = self.required(name, str) if required else self.get(name, str)
        if text is None:
            return None
        try:
            if len(text) != 36:  # UUID accepts braces and missing hyphens
                raise ValueError
            return UUID(text)
        except ValueError:
            self.wrong(name, f"expected a UUID, got {text[:60]!r}")
            return None

    def secret(self, name: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
        """Return the text in the member ``name``, or in the variable that ``name_env`` names.

        Return it with the name of the member that has it; None if something is wrong, which is reported. No
        message has the text.
        """
        from_variable = f"{name}_env"
        stated = [one for one in (name, from_variable) if one in self.values]
        if len(stated) != 1:
            which = "are both given; keep one" if stated else "are both missing; give one"
            self.errors.add(self.key, f"{name} and {from_variable} {which}")
            return None
        text = self.get(stated[0], str)
        if text is None:
            return None
        if stated[0] == from_variable:
            variable, text = text, environ.get(text, "")
            if not text:
                self.wrong(from_variable, f"the variable {variable[:100]!r} is not set")
                return None
            if not text.isprintable() and any("\udc80" <= one <= "\udcff" for one in text):
                self.wrong(from_variable, f"the variable {variable[:100]!r} is not UTF-8")
                return None
        elif not text:
            self.wrong(name, "is empty")
            return None
        self.errors.secrets.append(text)
        return text, stated[0]

    def tables(self, name: str) -> "list[Table]":
        """Return the tables of the array ``name``."""
        value = self.values.get(name, [])
        if type(value) is not list:
            hint = f"; write [[{name}]]" if isinstance(value, dict) else ""
            self.wrong(name, f"expected an array of tables, got {type_of(value)}{hint}")
            return []
        found = []
        for number, one in enumerate(value):
            key = f"{self.path(name)}[{number}]"
            if isinstance(one, dict):
                found.append(Table(one, key, self.errors))
            else:
                self.errors.add(key, f"expected a table, got {type_of(one)}")
        return found


class First:
    """Finds things that occur twice. ``report`` is called with the key of the first one."""

    def __init__(self) -> None:
        self._keys: dict[Any, str] = {}

    def repeats(self, thing: Any, key: str, report: Callable[[str], object]) -> bool:
        """Return whether ``thing``, at ``key``, has occurred before; if so, report it."""
        first = self._keys.setdefault(thing, key)
        if first != key:
            report(first)
        return first != key


def joined(key: str, name: str) -> str:
    """Return the key of the member ``name`` of the table at ``key``, quoted as TOML needs it."""
    if not all(character.isascii() and (character.isalnum() or character in "-_") for character in name):
        name = repr(name[:100])
    return f"{key}.{name[:100]}" if key else name[:100]


def unknown(name: str, known: Iterable[str]) -> str:
    """Return the reason why the member ``name`` is refused."""
    return f"unknown key{suggestion(name, known)}"


def type_of(value: Any) -> str:
    """Return the type of ``value`` in words."""
    return _NAMES.get(type(value), "a date or time")
