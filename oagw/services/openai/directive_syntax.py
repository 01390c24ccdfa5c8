"""Parse ``[mock name=value name="a value with spaces"]`` in a text, and ``mock_name`` in ``metadata``.

``directives`` has the names and the meaning of their values.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NoReturn

import msgspec

from oagw.model.mismatch import mismatch
from oagw.model.refused import Refused
from oagw.model.suggestion import suggestion
from oagw.services.openai.directives import MOST_CALLS, MOST_CHARACTERS, Directives

# At most one of these can be given.
_EXCLUSIVE = ("reply", "refusal", "tool")

_START = re.compile(r"\[mock(?=[\s\]])")
_PAIR = re.compile(r'\s+([A-Za-z_][\w-]*)=("(?:[^"\\]++|\\.)*+"|[^\s\]"]+)')
_END = re.compile(r"\s*\]")
_OPEN_QUOTE = re.compile(r'\s+([A-Za-z_][\w-]*)="')
_NO_VALUE = re.compile(r"\s+([A-Za-z_][\w-]*)(?:=\s*)?(?=\])")

# The largest number of characters of a directive that errors quote.
_NEAR = 40


def parse(
    text: str, metadata: Mapping[str, str], field: str, allowed: Collection[str]
) -> tuple[str, Directives]:
    """Return ``text`` without its directives, and the Directives; see ``extract_directives``."""
    members: dict[str, Any] = {}
    prefix = "mock_"
    pairs = [(name[len(prefix) :], value) for name, value in metadata.items() if name.startswith(prefix)]
    if pairs:
        members = _read(pairs, allowed, "metadata", f"metadata.{prefix}")
    if "[mock" in text:
        text, pairs = _split(text, field)
        directive = _read(pairs, allowed, field)
        if not directive.keys().isdisjoint(_EXCLUSIVE):
            arguments = members.get("arguments", ()) if len(directive.get("tool", ())) == 1 else ()
            members = {
                name: value for name, value in members.items() if name not in (*_EXCLUSIVE, "arguments")
            }
            if arguments and directive["arguments"] == [None]:
                directive["arguments"] = arguments[:1]
        members |= directive
    return text, msgspec.convert(members, Directives, strict=False)


def _split(text: str, field: str) -> tuple[str, list[tuple[str, str]]]:
    """Return ``text`` without its directives, and their names and values in order.

    ``field`` is the name of the member with the text. Raises Refused for a syntax error.
    """
    kept: list[str] = []
    pairs: list[tuple[str, str]] = []
    at = 0
    while start := _START.search(text, at):
        kept.append(text[at : start.start()])
        at = start.end()
        while pair := _PAIR.match(text, at):
            name, value = pair.groups()
            pairs.append((name, _unquoted(name, value, field) if value[0] == '"' else value))
            last, at = at, pair.end()
        end = _END.match(text, at)
        if end is None:
            _explain(text, at, last if at > start.end() else start.start(), field)
        at = end.end()
    kept.append(text[at:])
    return ("".join(kept).strip() if len(kept) > 1 else text), pairs


def _bad(why: str, field: str | None) -> Refused:
    """Return the error for an invalid directive in the member ``field`` of the request."""
    return Refused(400, f"Invalid mock directive: {why}", field=field, code="invalid_directive")


def _explain(text: str, at: int, last: int, field: str) -> NoReturn:
    """Raise Refused for the syntax error at ``at``; ``last`` is where the token before it starts."""
    near = text[at : at + _NEAR].strip()
    if quote := _OPEN_QUOTE.match(text, at):
        raise _bad(f"the quote of {quote[1][:_NEAR]} is not closed, near {near!r}", field)
    if name := _NO_VALUE.match(text, at):
        raise _bad(f"{name[1][:_NEAR]} has no value, near {near!r}", field)
    opens, closes = text.find("[", at), text.find("]", at)
    if closes < 0 or 0 <= opens < closes:
        near = near or text[max(last, at - _NEAR) : at].strip()
        raise _bad(f'the bracket of "[mock" is not closed: expected "]" near {near!r}', field)
    raise _bad(f'expected name=value, name="a value with spaces" or "]" near {near!r}', field)


def _unquoted(name: str, value: str, field: str) -> str:
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.DecodeError:
        raise _bad(f"the value of {name[:_NEAR]} is not a JSON string", field) from None


def _read(
    pairs: Iterable[tuple[str, str]], allowed: Collection[str], field: str, prefix: str = ""
) -> dict[str, Any]:
    """Convert ``pairs`` of names and values to the members of a Directives; raises Refused."""
    members: dict[str, Any] = {}
    tools = _Tools()
    for name, value in pairs:
        where = prefix + name[:64] if prefix else field
        if name not in Directives.__struct_fields__:
            raise _bad(f'there is no "{name[:64]}"{suggestion(name, allowed)}', where)
        if name not in allowed:
            raise _bad(f"{name} is not supported here, only {', '.join(allowed)}", where)
        if name in ("tool", "arguments"):
            if why := tools.add(name, value):
                raise _bad(why, where)
        elif members.setdefault(name, value) != value:
            raise _bad(f"{name} is given twice, as {members[name][:40]!r} and {value[:40]!r}", where)
    members |= tools.members()
    _check(members, field, prefix)
    given = [name for name in _EXCLUSIVE if name in members]
    if len(given) > 1:
        raise _bad(f"{given[0]} and {given[1]} cannot be combined", field)
    if "tool" in members and "tokens" in members:
        raise _bad("tokens and tool cannot be combined: a tool call has no text", field)
    return members


class _Tools:
    """Collect ``tool`` and ``arguments`` in their order."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._arguments: list[str | None] = []
        self._first: str | None = None  # arguments before any tool
        self._several = False

    def add(self, name: str, value: str) -> str | None:
        """Add a ``tool`` or ``arguments``; return a message if it is invalid."""
        if name == "tool":
            names = value.split(",", MOST_CALLS)
            if len(self._names) + len(names) > MOST_CALLS:
                return f"the mock calls at most {MOST_CALLS} tools in one turn"
            if self._first is not None and (self._names or len(names) > 1):
                return "with several tools, arguments must follow the tool that they belong to"
            self._names += names
            self._arguments += [None] * len(names)
            self._several = len(names) > 1
            if self._first is not None:
                self._arguments[-1] = self._first
        elif self._several:
            return "arguments must follow one tool, not a list of them"
        elif not self._names:
            if self._first not in (None, value):
                return "arguments is given twice"
            self._first = value
        elif self._arguments[-1] not in (None, value):
            return "arguments is given twice for one tool"
        else:
            self._arguments[-1] = value
        return None

    def members(self) -> dict[str, Any]:
        """Return the members of a Directives."""
        if self._names:
            return {"tool": self._names, "arguments": self._arguments}
        return {} if self._first is None else {"arguments": [self._first]}


def _check(members: Mapping[str, Any], field: str, prefix: str) -> None:
    """Raise Refused for invalid values, with the valid ones."""
    try:
        msgspec.convert(members, Directives, strict=False)
    except msgspec.ValidationError as error:
        name = mismatch(error).steps[0]  # it has one: names are checked before values
        got = members[name]
        if isinstance(got, list):
            got = max((each for each in got if each), key=len)
        raise _bad(
            f"{name} must be {_form(name)}, got {got[:40]!r}", prefix + name if prefix else field
        ) from None


def _form(name: str) -> str:
    """Describe the valid values of the member ``name``."""
    from msgspec import inspect  # imported late: most directives are valid

    info = inspect.type_info(Directives)
    assert isinstance(info, inspect.StructType)
    type = next(field.type for field in info.fields if field.name == name)
    types = type.types if isinstance(type, inspect.UnionType) else (type,)
    match types[0]:
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(map(str, values))
        case inspect.IntType(ge=least, le=most):
            return f"a whole number from {least} to {most}"
        case inspect.FloatType(ge=least, le=most):
            return f"a number from {least:g} to {most:,.0f}".replace(",", "")
        case _:
            return f"a string of at most {MOST_CHARACTERS} characters"
