"""Tools that the model may call: how a request lists them, and which one is called."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from oagw.services.openai.steering import Steering
from oagw.web.resource import Refused

Name = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]


class Function(msgspec.Struct):
    """A function: its name and the JSON Schema of its arguments."""

    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(msgspec.Struct):
    """A tool of a chat request; custom tools are accepted and never called."""

    type: Literal["function", "custom"]
    function: Function | None = None


class Named(msgspec.Struct):
    """The name of a function."""

    name: str


class ToolChoice(msgspec.Struct):
    """The choice of one function of a chat request."""

    type: Literal["function"]
    function: Named


class Call(msgspec.Struct, frozen=True):
    """A call of the tool ``name``; ``arguments`` is JSON."""

    name: str
    arguments: str


class Toolbox:
    """The functions of a request, each with the place in the body of its schema, and which may be called.

    ``choice`` is ``none``, ``auto``, ``required`` or the ``name`` of a function. Raises Refused for a
    choice that the functions do not allow.
    """

    def __init__(self, functions: dict[str, tuple[Function, str]], choice: str | None, name: str | None):
        self._functions = functions
        self._choice = choice or ("auto" if functions else "none")
        self._name = name
        if (choice not in (None, "none") or name is not None) and not functions:
            raise _bad("'tool_choice' is only allowed when 'tools' are specified")
        if name is not None and name not in functions:
            raise _bad(f"Tool choice '{name[:100]}' not found in 'tools' parameter")

    def call(self, text: str, steering: Steering, answered: bool) -> Call | None:
        """The call that the model makes about ``text``; None to talk instead.

        A tool that is required is called; where the choice is the model's, it calls a tool unless the
        last message is the result of one (``answered``), greets, or is told what to say. It calls the
        tool that ``text`` names, or else the first.
        """
        name = steering.tool or self._name
        if name is None:
            talks = answered or "hello" in text.lower() or steering.reply is not None
            if not self._functions or self._choice == "none" or (self._choice == "auto" and talks):
                return None
            name = next((known for known in self._functions if known in text), next(iter(self._functions)))
        if name not in self._functions:
            raise Refused(
                400, f"Invalid mock directive: there is no tool {name[:100]!r}", code="invalid_directive"
            )
        if steering.arguments is not None:
            return Call(name, steering.arguments)
        function, place = self._functions[name]
        return Call(name, written({"type": "object"} | (function.parameters or {}), place))


def toolbox(tools: list[Tool] | None, choice: str | ToolChoice | None) -> Toolbox:
    """The Toolbox of a chat request."""
    functions: dict[str, tuple[Function, str]] = {}
    for at, tool in enumerate(tools or ()):
        if tool.type == "custom":
            continue
        if tool.function is None:
            raise Refused(
                400,
                f"Missing required parameter: 'tools[{at}].function'.",
                field=f"tools[{at}].function",
                code="missing_required_parameter",
            )
        functions.setdefault(tool.function.name, (tool.function, f"tools[{at}].function.parameters"))
    if isinstance(choice, ToolChoice):
        return Toolbox(functions, None, choice.function.name)
    return Toolbox(functions, choice, None)


def written(schema: dict[str, Any], place: str) -> str:
    """A value that is valid against ``schema``, as JSON; Refused names the ``place`` of a bad schema."""
    # Here, because most chats do without, and it is a fifth of what is loaded for the first of them.
    from oagw.services.openai.schema import Unsatisfiable, example

    try:
        return msgspec.json.encode(example(schema)).decode()
    except Unsatisfiable as error:
        raise Refused(
            400, f"Invalid schema for '{place}': {error}", field=place, code="invalid_json_schema"
        ) from None


def _bad(why: str) -> Refused:
    return Refused(400, f"Invalid value for 'tool_choice': {why}.", field="tool_choice", code="invalid_value")
