"""The request body of the Responses API."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from oagw.model.refused import Refused
from oagw.services.openai.chat import Effort, JsonFormat, PlainFormat, Share, Temperature, Verbosity
from oagw.services.openai.completion import Metadata, ModelName
from oagw.services.openai.node import Unsupported
from oagw.services.openai.validation_error import not_among

Tier = Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]

# The types of items that have the result of a tool call.
RESULTS = ("function_call_output", "custom_tool_call_output")

# The types of items. Except for messages, only the type is read.
ITEMS = frozenset(
    (
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "compaction",
        "compaction_trigger",
        "computer_call",
        "computer_call_output",
        "configuration_update",
        "custom_tool_call",
        "file_search_call",
        "function_call",
        "image_generation_call",
        "item_reference",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "message",
        "program",
        "program_output",
        "reasoning",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
        *RESULTS,
    )
)


# The types of content parts.
PARTS = ("input_text", "input_image", "input_file", "input_audio", "output_text", "refusal")


class InputPart(msgspec.Struct):
    """A content part of a message. Only ``text`` is used."""

    type: str
    text: str | None = None


class InputItem(msgspec.Struct):
    """An item of the input.

    The type may be missing for messages, and for references to other items, which have only an ``id``.
    """

    type: str | None = None
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[InputPart] | None = None
    id: str | None = None

    def text(self) -> str:
        """Return the text of a message, with its parts joined."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "".join(part.text or "" for part in self.content)

    def check(self, location: str) -> None:
        """Raise Refused if the item, which is at ``location`` in the request, is invalid."""
        if self.type is not None and self.type not in ITEMS:
            raise _unknown(f"{location}.type", self.type, ITEMS)
        if self.type == "message" or self.type is self.id is None:
            if self.role is None:
                field = f"{location}.role"
                message = f"Missing required parameter: '{field}'."
                raise Refused(400, message, field=field, code="missing_required_parameter")
            for at, part in enumerate(self.content if isinstance(self.content, list) else ()):
                if part.type not in PARTS:
                    raise _unknown(f"{location}.content[{at}].type", part.type, PARTS)


class ResponseSchemaFormat(
    msgspec.Struct, tag_field="type", tag="json_schema", omit_defaults=True, forbid_unknown_fields=True
):
    """``text.format`` for JSON that conforms to a schema."""

    name: str
    schema: dict[str, Any]
    strict: bool | None = None
    description: str | None = None


class TextConfig(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """The format of the text."""

    format: PlainFormat | JsonFormat | ResponseSchemaFormat | None = None
    verbosity: Verbosity | None = None


class Reasoning(msgspec.Struct, forbid_unknown_fields=True):
    """Parameters of reasoning, which have no effect."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    context: Literal["auto", "current_turn", "all_turns"] | None = None
    mode: str | None = None


class ResponseStreamOptions(msgspec.Struct, forbid_unknown_fields=True):
    """Stream options, which have no effect."""

    include_obfuscation: bool | None = None


Includable = Literal[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]


class ResponseRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request for a response. ``docs/openai.md`` lists the parameters that have an effect."""

    model: ModelName
    input: str | list[InputItem] | None = None
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Annotated[int, Meta(ge=16)] | None = None
    tools: Annotated[list[dict[str, Any]], Meta(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    include: list[Includable] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    metadata: Metadata | None = None
    service_tier: Tier | None = None

    # Validated, but without effect, except that the response repeats most of them.
    background: bool | None = None
    context_management: list[dict[str, Any]] | None = None
    image: dict[str, Any] | None = None
    max_tool_calls: Annotated[int, Meta(ge=1)] | None = None
    previous_response_id: str | None = None
    prompt_cache_key: Annotated[str, Meta(max_length=1000)] | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None
    reasoning: Reasoning | None = None
    safety_identifier: Annotated[str, Meta(max_length=128)] | None = None
    store: bool | None = None
    stream_options: ResponseStreamOptions | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None

    access_programs: Unsupported = None
    background_options: Unsupported = None
    conversation: Unsupported = None
    moderation: Unsupported = None
    prompt: Unsupported = None

    def check(self) -> None:
        """Raise Refused for invalid requests that the types of the members cannot exclude."""
        if self.background:
            message = (
                "Unsupported value: 'background' cannot be true: the mock gateway does not store responses."
            )
            raise Refused(400, message, field="background", code="unsupported_value")
        if self.stream_options is not None and not self.stream:
            message = "Invalid 'stream_options': it is only allowed when 'stream' is true"
            raise Refused(400, message, field="stream_options", code="invalid_value")
        for at, item in enumerate(self.items()):
            item.check(f"input[{at}]")

    def items(self) -> Sequence[InputItem]:
        """Return the items of the input. A string is one message of the user."""
        if isinstance(self.input, str):
            return [InputItem(role="user", content=self.input)]
        return self.input or ()


def _unknown(field: str, value: str, known: Iterable[str]) -> Refused:
    return Refused(400, not_among(value, sorted(known)), field=field, code="invalid_value")
