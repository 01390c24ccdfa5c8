"""Tools that the model may call: what a request offers, and which of them are called.

``chat_tools`` and ``response_tools`` read the ways in which requests list them.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from oagw.model.suggestion import suggestion
from oagw.services.openai.directives import Steering
from oagw.services.openai.keywords import keyword
from oagw.web.resource import Refused

# A tool is named by a message if its name is among so many characters of it.
_READ = 10_000

# At most this many characters of a message are the input of a custom tool.
_INPUT = 1000

Name = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]

_NAMES = r"[a-zA-Z0-9_-]+"


class TextFormat(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    """Any text, as the input of a custom tool."""


class Grammar(msgspec.Struct, forbid_unknown_fields=True):
    """A grammar, and the language that it is written in."""

    definition: str
    syntax: Literal["lark", "regex"]


class Offered(NamedTuple):
    """A tool that may be called.

    A function has the JSON Schema of its arguments, or None; a custom tool has the grammar of its input, or
    None for any text. ``place`` is where that is in the body.
    """

    name: str
    kind: Literal["function", "custom"]
    form: dict[str, Any] | Grammar | None
    place: str


class Choice(NamedTuple):
    """What the request says of calling tools: ``field`` says it.

    ``mode`` is ``none``, ``auto`` or ``required``; ``only`` the tools that may be called, by kind and name,
    None for all of them; ``parallel`` whether several may be called in one turn.
    """

    mode: Literal["none", "auto", "required"]
    only: list[tuple[str, str]] | None = None
    field: str = "tool_choice"
    parallel: bool = True


class Call(NamedTuple):
    """A call of the tool ``name``: ``text`` is its arguments, in JSON, or the input of a custom tool."""

    name: str
    kind: Literal["function", "custom"]
    text: str


class Toolbox:
    """The tools that a request offers by name, and its choice among them.

    Raises Refused for a choice that the tools do not allow.
    """

    def __init__(self, tools: Mapping[str, Offered], choice: Choice) -> None:
        self._tools = tools
        self._choice = choice
        self._allowed = dict(tools)
        if choice.only is not None:
            for kind, name in choice.only:
                if name not in tools or tools[name].kind != kind:
                    what = choice.field.replace("_", " ").capitalize()
                    raise bad_choice(choice.field, f"{what} '{name[:100]}' not found in the request's tools")
            self._allowed = {name: tools[name] for _, name in choice.only}

    def calls(self, text: str, steering: Steering, answered: bool) -> tuple[Call, ...]:
        """The calls that the model makes about ``text``; none to talk instead.

        A tool that is required is called; where the choice is the model's, it calls one unless the last
        message is the result of one (``answered``), greets, or is told what to say. It calls the first
        tool that ``text`` names, or else the first of all. With ``steering``, it calls those that it is told.
        """
        if steering.tool:
            return self._told(steering, text)
        if steering.arguments and not self._tools:
            raise _bad("arguments are for a call, and the request has no tools")
        mode = self._choice.mode
        spoken = steering.reply is not None or steering.refusal is not None
        if mode == "required" and spoken:
            raise _bad(f"{self._choice.field} requires a call, so that the model says nothing")
        if not self._allowed or mode == "none":
            return ()
        if mode == "auto" and (answered or spoken or keyword(text) == "hello"):
            return ()
        named = set(re.findall(_NAMES, text[:_READ]))
        name = next((known for known in self._allowed if known in named), next(iter(self._allowed)))
        return (self._call(name, steering.arguments[0] if steering.arguments else None, text),)

    def _told(self, steering: Steering, text: str) -> tuple[Call, ...]:
        """The calls that ``steering`` asks for, if the request allows them."""
        choice, told = self._choice, steering.tool
        for name in told:
            if name not in self._tools:
                raise _bad(f"there is no tool {name[:100]!r}{suggestion(name, self._tools)}")
            if choice.mode == "none":
                raise _bad(f"tool asks for a call, and {choice.field} is 'none'")
            if name not in self._allowed:
                raise _bad(f"{choice.field} does not allow the tool {name!r}")
        if len(told) > 1 and not choice.parallel:
            why = (
                "parallel_tool_calls is false"
                if choice.field == "tool_choice"
                else "functions are called alone"
            )
            raise _bad(f"tool asks for {len(told)} calls in one turn, and {why}")
        made: dict[str, Call] = {}  # to make arguments up takes time, which they share
        share = max(
            1, len({name for name, given in zip(told, steering.arguments, strict=True) if given is None})
        )
        calls = []
        for name, arguments in zip(told, steering.arguments, strict=True):
            if arguments is not None:
                calls.append(self._call(name, arguments, text))
                continue
            if name not in made:
                made[name] = self._call(name, None, text, share)
            calls.append(made[name])
        return tuple(calls)

    def _call(self, name: str, arguments: str | None, text: str, share: int = 1) -> Call:
        tool = self._tools[name]
        if arguments is not None:
            made = arguments
        elif tool.kind == "function":
            assert not isinstance(tool.form, Grammar)
            made = written({"type": "object"} | (tool.form or {}), tool.place, share)
        elif isinstance(tool.form, Grammar):
            made = _following(tool.form, tool.place, share)
        else:
            made = text[:_INPUT] or "text"
        return Call(name, tool.kind, made)


def written(schema: dict[str, Any], place: str, share: int = 1) -> str:
    """A value that is valid against ``schema``, as JSON; Refused names the ``place`` of a bad schema.

    It may take one ``share``-th of the work that a request may.
    """
    # Here, because most chats do without, and it is a fifth of what is loaded for the first of them.
    from oagw.services.openai.schema import WORK, Unsatisfiable, example

    try:
        return msgspec.json.encode(example(schema, WORK // share)).decode()
    except Unsatisfiable as error:
        raise Refused(
            400, f"Invalid schema for '{place}': {error}", field=place, code="invalid_json_schema"
        ) from None


def bad_choice(field: str, why: str) -> Refused:
    """The refusal of a choice among tools."""
    return Refused(400, f"Invalid value for '{field}': {why}.", field=field, code="invalid_value")


def _following(grammar: Grammar, place: str, share: int) -> str:
    """A text that follows ``grammar``; Refused where the mock cannot make one."""
    from oagw.services.openai.pattern import MOST, matching

    why = "the mock makes nothing up from a lark grammar"
    if grammar.syntax == "regex":
        try:
            return matching(grammar.definition, 1, MOST // share)
        except (ValueError, OverflowError, RecursionError) as error:
            why = str(error)
    message = f"Invalid '{place}': {why}. Give the input of the tool with [mock arguments=\"...\"]"
    raise Refused(400, message, field=place, code="unsupported_value")


def _bad(why: str) -> Refused:
    return Refused(400, f"Invalid mock directive: {why}", code="invalid_directive")
