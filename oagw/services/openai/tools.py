"""The tools that a request offers, and the calls that the model makes.

``chat_tools`` and ``response_tools`` read the tools from requests.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from oagw.model.refused import Refused
from oagw.model.suggestion import suggestion
from oagw.services.openai.directives import Directives
from oagw.services.openai.keywords import keyword

# Names of tools are searched for in this number of characters of a message.
_READ = 10_000

# The largest number of characters of a message that become the input of a custom tool.
_INPUT = 1000

Name = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]

_NAMES = r"[a-zA-Z0-9_-]+"


class TextFormat(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    """The format of a custom tool with any text as its input."""


class Grammar(msgspec.Struct, forbid_unknown_fields=True):
    """A grammar and its syntax."""

    definition: str
    syntax: Literal["lark", "regex"]


class OfferedTool(NamedTuple):
    """A tool that the model may call.

    ``form`` is the JSON Schema of a function's arguments, or the grammar of a custom tool's input, or None.
    ``location`` is the location of ``form`` in the request body.
    """

    name: str
    kind: Literal["function", "custom"]
    form: dict[str, Any] | Grammar | None
    location: str


class Choice(NamedTuple):
    """The tool choice of a request, given in its member ``field``.

    ``only`` are the kinds and names of the tools that may be called, None for all; ``parallel`` is whether
    several may be called in one turn.
    """

    mode: Literal["none", "auto", "required"]
    only: list[tuple[str, str]] | None = None
    field: str = "tool_choice"
    parallel: bool = True


class ToolCall(NamedTuple):
    """A call of the tool ``name``. ``text`` is its arguments in JSON, or the input of a custom tool."""

    name: str
    kind: Literal["function", "custom"]
    text: str


class Toolbox:
    """The tools that a request offers, by name, and its tool choice.

    Raises Refused if the choice names a tool that is not offered.
    """

    def __init__(self, tools: Mapping[str, OfferedTool], choice: Choice) -> None:
        self._tools = tools
        self._choice = choice
        self._allowed = dict(tools)
        if choice.only is not None:
            for kind, name in choice.only:
                if name not in tools or tools[name].kind != kind:
                    what = choice.field.replace("_", " ").capitalize()
                    raise bad_choice(choice.field, f"{what} '{name[:100]}' not found in the request's tools")
            self._allowed = {name: tools[name] for _, name in choice.only}

    def calls(self, text: str, directives: Directives, answered: bool) -> tuple[ToolCall, ...]:
        """Return the calls that the model makes in response to ``text``, or () if it replies with text.

        The model makes the calls of the ``tool`` directive. Otherwise it calls the first tool that ``text``
        names, or else the first of all. With the mode ``auto``, it does not if the last message is the
        result of a call (``answered``), has the keyword ``hello``, or has a reply or refusal directive.
        """
        if directives.tool:
            return self._directed(directives, text)
        if directives.arguments and not self._tools:
            raise _bad("arguments needs a tool to call, and the request has no tools")
        mode = self._choice.mode
        spoken = directives.reply is not None or directives.refusal is not None
        if mode == "required" and spoken:
            raise _bad(f"{self._choice.field} requires a call, so there is no reply or refusal")
        if not self._allowed or mode == "none":
            return ()
        if mode == "auto" and (answered or spoken or keyword(text) == "hello"):
            return ()
        named = set(re.findall(_NAMES, text[:_READ]))
        name = next((known for known in self._allowed if known in named), next(iter(self._allowed)))
        return (self._call(name, directives.arguments[0] if directives.arguments else None, text),)

    def _directed(self, directives: Directives, text: str) -> tuple[ToolCall, ...]:
        """Return the calls that ``directives`` ask for; raise Refused if the request does not allow them."""
        choice, names = self._choice, directives.tool
        for name in names:
            if name not in self._tools:
                raise _bad(f"there is no tool {name[:100]!r}{suggestion(name, self._tools)}")
            if choice.mode == "none":
                raise _bad(f"tool asks for a call, but {choice.field} is 'none'")
            if name not in self._allowed:
                raise _bad(f"{choice.field} does not allow the tool {name!r}")
        if len(names) > 1 and not choice.parallel:
            why = (
                "parallel_tool_calls is false"
                if choice.field == "tool_choice"
                else "functions cannot be called in parallel"
            )
            raise _bad(f"tool asks for {len(names)} calls in one turn, but {why}")
        made: dict[str, ToolCall] = {}  # calls share the time limit of generating arguments
        share = max(
            1, len({name for name, given in zip(names, directives.arguments, strict=True) if given is None})
        )
        calls = []
        for name, arguments in zip(names, directives.arguments, strict=True):
            if arguments is not None:
                calls.append(self._call(name, arguments, text))
                continue
            if name not in made:
                made[name] = self._call(name, None, text, share)
            calls.append(made[name])
        return tuple(calls)

    def _call(self, name: str, arguments: str | None, text: str, share: int = 1) -> ToolCall:
        tool = self._tools[name]
        if arguments is not None:
            made = arguments
        elif tool.kind == "function":
            assert not isinstance(tool.form, Grammar)
            made = written({"type": "object"} | (tool.form or {}), tool.location, share)
        elif isinstance(tool.form, Grammar):
            made = _following(tool.form, tool.location, share)
        else:
            made = text[:_INPUT] or "text"
        return ToolCall(name, tool.kind, made)


def written(schema: dict[str, Any], location: str, share: int = 1) -> str:
    """Return a value that conforms to ``schema``, encoded as JSON.

    This may take up to one ``share``-th of the work allowed per request. Raises Refused, with the
    ``location`` of the schema, if there is no such value.
    """
    # Imported late: most chats do not need it, and it takes a fifth of the time of the first chat.
    from oagw.services.openai.schema import WORK, Unsatisfiable, example

    try:
        return msgspec.json.encode(example(schema, WORK // share)).decode()
    except Unsatisfiable as error:
        raise Refused(
            400, f"Invalid schema for '{location}': {error}", field=location, code="invalid_json_schema"
        ) from None


def bad_choice(field: str, why: str) -> Refused:
    """Return the error for an invalid choice of tools."""
    return Refused(400, f"Invalid value for '{field}': {why}.", field=field, code="invalid_value")


def _following(grammar: Grammar, location: str, share: int) -> str:
    """Return a text that follows ``grammar``; raise Refused if the mock cannot generate one."""
    from oagw.services.openai.pattern import MOST, matching

    why = "the mock cannot generate text from a lark grammar"
    if grammar.syntax == "regex":
        try:
            return matching(grammar.definition, 1, MOST // share)
        except (ValueError, OverflowError, RecursionError) as error:
            why = str(error)
    message = f"Invalid '{location}': {why}. Provide the input of the tool with [mock arguments=\"...\"]"
    raise Refused(400, message, field=location, code="unsupported_value")


def _bad(why: str) -> Refused:
    return Refused(400, f"Invalid mock directive: {why}", code="invalid_directive")
