"""The tools of a request for a response: ``tools`` and ``tool_choice``.

The model calls functions and custom tools. Hosted tools, which the API itself runs, are accepted by name but
never called; a ``tool_choice`` that leaves only hosted tools is rejected.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from oagw.model.refused import Refused
from oagw.services.openai.tools import Choice, Grammar, Name, OfferedTool, TextFormat, Toolbox, bad_choice
from oagw.services.openai.validation_error import not_among

# The hosted tools, which the API itself runs.
HOSTED = frozenset(
    (
        "apply_patch",
        "code_interpreter",
        "computer",
        "computer_use",
        "computer_use_preview",
        "file_search",
        "image_generation",
        "local_shell",
        "mcp",
        "namespace",
        "programmatic_tool_calling",
        "shell",
        "tool_search",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    )
)


class _Common(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The members that functions and custom tools have in common."""

    name: Name
    description: str | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None
    defer_loading: bool | None = None
    asynchronous: bool | None = msgspec.field(name="async", default=None)


class ResponseFunctionTool(_Common, tag_field="type", tag="function", kw_only=True):
    """A function, with the JSON Schema of its arguments."""

    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    output_schema: dict[str, Any] | None = None


class ResponseGrammarFormat(Grammar, tag_field="type", tag="grammar", forbid_unknown_fields=True):
    """The format of a custom tool whose input follows a grammar."""


class ResponseCustomTool(_Common, tag_field="type", tag="custom", kw_only=True):
    """A custom tool, whose input is text."""

    format: TextFormat | ResponseGrammarFormat | None = None


class NamedChoice(msgspec.Struct, forbid_unknown_fields=True):
    """The choice of one tool."""

    type: Literal["function", "custom"]
    name: str


class ResponseAllowedTools(msgspec.Struct, forbid_unknown_fields=True):
    """The choice of a subset of the tools. Each is an object with the ``type`` and ``name`` of a tool."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]


def tool_box(
    tools: list[dict[str, Any]] | None,
    choice: Literal["none", "auto", "required"] | dict[str, Any] | None,
    parallel: bool,
) -> Toolbox:
    """Return the Toolbox of a request; raise Refused if its tools or choice are invalid."""
    offered: dict[str, OfferedTool] = {}
    for at, tool in enumerate(tools or ()):
        new = _offered(tool, f"tools[{at}]")
        if new is not None:
            offered.setdefault(new.name, new)
    if choice == "required" or isinstance(choice, dict):
        if not tools:
            raise bad_choice("tool_choice", "'tool_choice' is only allowed when 'tools' are specified")
        if choice == "required" and not offered:
            raise _hosted("all tools of the request are")
    if isinstance(choice, dict):
        mode, only = _chosen(choice)
        return Toolbox(offered, Choice(mode, only, parallel=parallel))
    return Toolbox(offered, Choice(choice or "auto", parallel=parallel))


def _offered(tool: Mapping[str, Any], location: str) -> OfferedTool | None:
    """Return the tool, which is at ``location`` in the request, or None if it is a hosted tool."""
    type = tool.get("type")
    if not isinstance(type, str):
        field = f"{location}.type"
        if type is None:
            message, code = f"Missing required parameter: '{field}'.", "missing_required_parameter"
        else:
            message, code = f"Invalid type for '{field}': expected a string.", "invalid_type"
        raise Refused(400, message, field=field, code=code)
    if type == "function":
        function = _read(tool, ResponseFunctionTool, location)
        return OfferedTool(function.name, "function", function.parameters, f"{location}.parameters")
    if type == "custom":
        custom = _read(tool, ResponseCustomTool, location)
        grammar = custom.format if isinstance(custom.format, ResponseGrammarFormat) else None
        return OfferedTool(custom.name, "custom", grammar, f"{location}.format")
    if type not in HOSTED:
        known = ("function", "custom", *sorted(HOSTED))
        message = not_among(type, known)
        raise Refused(400, message, field=f"{location}.type", code="invalid_value")
    return None


def _chosen(choice: Mapping[str, Any]) -> tuple[Literal["auto", "required"], list[tuple[str, str]]]:
    """Return the mode of ``choice``, and the kinds and names of the tools that it allows."""
    type = choice.get("type")
    if type == "allowed_tools":
        allowed = _read(choice, ResponseAllowedTools, "tool_choice")
        functions = [each for each in allowed.tools if each.get("type") not in HOSTED]
        if not allowed.tools:
            raise bad_choice("tool_choice", "it allows no tools")
        if not functions:
            raise _hosted("all allowed tools are")
        named = [_read(each, NamedChoice, f"tool_choice.tools[{at}]") for at, each in enumerate(functions)]
        return allowed.mode, [(each.type, each.name) for each in named]
    if isinstance(type, str) and type in HOSTED:
        raise _hosted(f"'{type}' is")
    one = _read(choice, NamedChoice, "tool_choice")
    return "required", [(one.type, one.name)]


def _read(document: Any, type: type, location: str) -> Any:
    """Convert ``document``, which is at ``location`` in the request, to ``type``; raises Refused."""
    try:
        return msgspec.convert(document, type)
    except msgspec.ValidationError as error:
        message = f"Invalid '{location}': {str(error).replace('`', '')[:300]}"
        raise Refused(400, message, field=location, code="invalid_value") from None


def _hosted(which: str) -> Refused:
    why = f"{which} run by the API itself, but the mock only calls functions and custom tools"
    return Refused(
        400, f"Unsupported value for 'tool_choice': {why}.", field="tool_choice", code="unsupported_value"
    )
