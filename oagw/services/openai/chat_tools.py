"""The tools of a chat request: ``tools``, ``tool_choice``, and the older ``functions``, ``function_call``."""

from typing import Any, Literal

import msgspec

from oagw.model.refused import Refused
from oagw.services.openai.tools import Choice, Grammar, Name, OfferedTool, TextFormat, Toolbox, bad_choice


class FunctionDefinition(msgspec.Struct, forbid_unknown_fields=True):
    """A function, with the JSON Schema of its arguments."""

    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class GrammarFormat(msgspec.Struct, tag_field="type", tag="grammar", forbid_unknown_fields=True):
    """The format of a custom tool whose input follows a grammar."""

    grammar: Grammar


class CustomDefinition(msgspec.Struct, forbid_unknown_fields=True):
    """A custom tool, whose input is text."""

    name: Name
    description: str | None = None
    format: TextFormat | GrammarFormat | None = None


class FunctionTool(msgspec.Struct, tag_field="type", tag="function", forbid_unknown_fields=True):
    """A tool that is a function."""

    function: FunctionDefinition


class CustomTool(msgspec.Struct, tag_field="type", tag="custom", forbid_unknown_fields=True):
    """A tool that is a custom tool."""

    custom: CustomDefinition


Tool = FunctionTool | CustomTool


class ToolName(msgspec.Struct, forbid_unknown_fields=True):
    """The name of a tool."""

    name: str


class FunctionChoice(msgspec.Struct, tag_field="type", tag="function", forbid_unknown_fields=True):
    """The choice of one function."""

    function: ToolName

    def named(self) -> tuple[str, str]:
        """Kind and name of the tool."""
        return "function", self.function.name


class CustomChoice(msgspec.Struct, tag_field="type", tag="custom", forbid_unknown_fields=True):
    """The choice of one custom tool."""

    custom: ToolName

    def named(self) -> tuple[str, str]:
        """Kind and name of the tool."""
        return "custom", self.custom.name


class AllowedTools(msgspec.Struct, forbid_unknown_fields=True):
    """A subset of the tools, and whether one of them must be called."""

    mode: Literal["auto", "required"]
    tools: list[FunctionChoice | CustomChoice]


class AllowedChoice(msgspec.Struct, tag_field="type", tag="allowed_tools", forbid_unknown_fields=True):
    """The choice of a subset of the tools."""

    allowed_tools: AllowedTools


ToolChoice = Literal["none", "auto", "required"] | FunctionChoice | CustomChoice | AllowedChoice
FunctionCall = Literal["none", "auto"] | ToolName


def tool_box(tools: list[Tool] | None, choice: ToolChoice | None, parallel: bool | None) -> Toolbox:
    """Return the Toolbox of a request with ``tools`` or without tools; raises Refused if they are invalid."""
    if tools is not None and not tools:
        raise _empty("tools")
    if tools is None and choice not in (None, "none"):
        raise bad_choice("tool_choice", "'tool_choice' is only allowed when 'tools' are specified")
    if tools is None and parallel is not None:
        why = "'parallel_tool_calls' is only allowed when 'tools' are specified"
        raise bad_choice("parallel_tool_calls", why)
    offered: dict[str, OfferedTool] = {}
    for at, tool in enumerate(tools or ()):
        new = _offered(tool, f"tools[{at}]")
        offered.setdefault(new.name, new)
    several = parallel is not False
    if choice is None or isinstance(choice, str):
        return Toolbox(offered, Choice(choice or "auto", parallel=several))
    if isinstance(choice, AllowedChoice):
        allowed = choice.allowed_tools
        if not allowed.tools:
            raise _empty("tool_choice.allowed_tools.tools")
        only = [each.named() for each in allowed.tools]
        return Toolbox(offered, Choice(allowed.mode, only, parallel=several))
    return Toolbox(offered, Choice("required", [choice.named()], parallel=several))


def function_box(functions: list[FunctionDefinition], choice: FunctionCall | None) -> Toolbox:
    """Return the Toolbox of a request with ``functions``, the deprecated form of ``tools``."""
    if not functions:
        raise _empty("functions")
    offered: dict[str, OfferedTool] = {}
    for at, each in enumerate(functions):
        offered.setdefault(each.name, _function(each, f"functions[{at}]"))
    if isinstance(choice, ToolName):
        only = [("function", choice.name)]
        return Toolbox(offered, Choice("required", only, "function_call", parallel=False))
    return Toolbox(offered, Choice(choice or "auto", None, "function_call", parallel=False))


def _offered(tool: Tool, location: str) -> OfferedTool:
    if isinstance(tool, FunctionTool):
        return _function(tool.function, f"{location}.function")
    form = tool.custom.format
    grammar = form.grammar if isinstance(form, GrammarFormat) else None
    return OfferedTool(tool.custom.name, "custom", grammar, f"{location}.custom.format.grammar")


def _function(function: FunctionDefinition, location: str) -> OfferedTool:
    return OfferedTool(function.name, "function", function.parameters, f"{location}.parameters")


def _empty(field: str) -> Refused:
    message = f"Invalid '{field}': empty array. Expected an array with minimum length 1"
    return Refused(400, message, field=field, code="empty_array")
