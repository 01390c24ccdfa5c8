"""Tools in a request for a response: ``tools`` and ``tool_choice``.

Functions and custom tools are called. Tools that the API itself runs are known by name, and never called:
a choice that leaves nothing else is refused.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from oagw.services.openai.tools import Choice, Grammar, Name, Offered, TextFormat, Toolbox, bad_choice
from oagw.services.openai.validation_error import not_among
from oagw.web.resource import Refused

# Tools that the API runs itself.
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
    """What functions and custom tools have in common."""

    name: Name
    description: str | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None
    defer_loading: bool | None = None
    asynchronous: bool | None = msgspec.field(name="async", default=None)


class Function(_Common, tag_field="type", tag="function", kw_only=True):
    """A function: its name and the JSON Schema of its arguments."""

    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    output_schema: dict[str, Any] | None = None


class GrammarFormat(Grammar, tag_field="type", tag="grammar", forbid_unknown_fields=True):
    """Text that follows a grammar, as the input of a custom tool."""


class Custom(_Common, tag_field="type", tag="custom", kw_only=True):
    """A tool whose input is text."""

    format: TextFormat | GrammarFormat | None = None


class NamedChoice(msgspec.Struct, forbid_unknown_fields=True):
    """The choice of one tool."""

    type: Literal["function", "custom"]
    name: str


class AllowedChoice(msgspec.Struct, forbid_unknown_fields=True):
    """The choice of some of the tools; each is an object with the ``type`` and ``name`` of a tool."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]


def tool_box(
    tools: list[dict[str, Any]] | None,
    choice: Literal["none", "auto", "required"] | dict[str, Any] | None,
    parallel: bool,
) -> Toolbox:
    """The Toolbox of a request."""
    offered: dict[str, Offered] = {}
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


def _offered(tool: Mapping[str, Any], place: str) -> Offered | None:
    """The tool at ``place``; None for one that the API runs itself."""
    type = tool.get("type")
    if not isinstance(type, str):
        field = f"{place}.type"
        if type is None:
            message, code = f"Missing required parameter: '{field}'.", "missing_required_parameter"
        else:
            message, code = f"Invalid type for '{field}': expected a string.", "invalid_type"
        raise Refused(400, message, field=field, code=code)
    if type == "function":
        function = _read(tool, Function, place)
        return Offered(function.name, "function", function.parameters, f"{place}.parameters")
    if type == "custom":
        custom = _read(tool, Custom, place)
        grammar = custom.format if isinstance(custom.format, GrammarFormat) else None
        return Offered(custom.name, "custom", grammar, f"{place}.format")
    if type not in HOSTED:
        known = ("function", "custom", *sorted(HOSTED))
        message = not_among(type, known)
        raise Refused(400, message, field=f"{place}.type", code="invalid_value")
    return None


def _chosen(choice: Mapping[str, Any]) -> tuple[Literal["auto", "required"], list[tuple[str, str]]]:
    """Whether a tool must be called, and which may be, by kind and name."""
    type = choice.get("type")
    if type == "allowed_tools":
        allowed = _read(choice, AllowedChoice, "tool_choice")
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


def _read(document: Any, type: type, place: str) -> Any:
    """``document``, which is at ``place`` of the request, as a ``type``; raises Refused."""
    try:
        return msgspec.convert(document, type)
    except msgspec.ValidationError as error:
        message = f"Invalid '{place}': {str(error).replace('`', '')[:300]}"
        raise Refused(400, message, field=place, code="invalid_value") from None


def _hosted(which: str) -> Refused:
    why = f"{which} run by the API itself, and the mock calls functions and custom tools only"
    return Refused(
        400, f"Unsupported value for 'tool_choice': {why}.", field="tool_choice", code="unsupported_value"
    )
