"""Chat completions: the request body and the buffered response. ``chunks`` has the streamed response."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.services import Env
from oagw.services.openai import pace
from oagw.services.openai.chat_tools import (
    FunctionCall,
    FunctionDefinition,
    Tool,
    ToolChoice,
    function_box,
    tool_box,
)
from oagw.services.openai.chunks import chunks, finish_reason
from oagw.services.openai.completion import (
    Completion,
    JsonSchema,
    Limits,
    Metadata,
    ModelName,
    Stop,
    StreamOptions,
    complete,
    stops,
    wants_usage,
)
from oagw.services.openai.directives import CHAT, Directives
from oagw.services.openai.ids import random_id
from oagw.services.openai.messages import Message, text_of
from oagw.services.openai.models import FINGERPRINT, require
from oagw.services.openai.node import OpenAINode, Unsupported, read
from oagw.services.openai.request_directives import extract_directives
from oagw.services.openai.tokens import conversation, logprob, usage
from oagw.services.openai.tools import Toolbox, ToolCall, bad_choice
from oagw.web.reply import Reply
from oagw.web.stream import Stream

Penalty = Annotated[float, Meta(ge=-2, le=2)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
LogitBias = dict[str, Annotated[float, Meta(ge=-100, le=100)]]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Verbosity = Literal["low", "medium", "high"]
Tier = Literal["auto", "default", "flex", "scale", "priority", "fast"]


class PlainFormat(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    """``response_format`` for plain text."""


class JsonFormat(msgspec.Struct, tag_field="type", tag="json_object", forbid_unknown_fields=True):
    """``response_format`` for any JSON object."""


class SchemaFormat(msgspec.Struct, tag_field="type", tag="json_schema", forbid_unknown_fields=True):
    """``response_format`` for JSON that conforms to a schema."""

    json_schema: JsonSchema


class ChatRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a chat request. ``docs/openai.md`` lists the parameters that have an effect."""

    model: ModelName
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop: Stop | Annotated[list[Stop], Meta(max_length=4)] | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    tools: Annotated[list[Tool], Meta(max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    functions: Annotated[list[FunctionDefinition], Meta(max_length=128)] | None = None
    function_call: FunctionCall | None = None
    response_format: PlainFormat | JsonFormat | SchemaFormat | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    metadata: Metadata | None = None
    service_tier: Tier | None = None

    # Validated, but without effect.
    frequency_penalty: Penalty | None = None
    logit_bias: LogitBias | None = None
    modalities: list[Literal["text"]] | None = None
    prediction: dict[str, Any] | None = None
    presence_penalty: Penalty | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None
    reasoning_effort: Effort | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    store: bool | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    user: str | None = None
    verbosity: Verbosity | None = None
    web_search_options: dict[str, Any] | None = None

    audio: Unsupported = None
    moderation: Unsupported = None

    def limits(self) -> Limits:
        """Return the limits that the request sets for its completions."""
        most = self.max_completion_tokens or self.max_tokens
        likely = (self.top_logprobs or 0) if self.logprobs else None
        return Limits(most, stops(self.stop), self.n or 1, likely)


# The values of the parameters about tools in a request without tools.
_NO_TOOLS = (None,) * 5

_chat_request = msgspec.json.Decoder(ChatRequest)


class ChatCompletions(OpenAINode):
    """POST /v1/chat/completions {"model": str, "messages": [...], "stream"?: bool, ...} → 200.

    Buffered, the body is a ``chat.completion``. Streamed, it is ``chat.completion.chunk`` events 50 ms
    apart: the role, the text word by word (or the arguments of a tool call in fragments),
    ``finish_reason``, with ``stream_options.include_usage`` the usage, and ``[DONE]``. With ``n`` > 1, all
    choices have the same text and advance together, one piece at a time.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply | Stream:
        chat = read(request, _chat_request)
        _check(chat)
        include_usage = wants_usage(chat.stream_options, chat.stream)
        require(chat.model, self._env)
        texts = [text_of(message.content) for message in chat.messages]
        last = next((at for at in reversed(range(len(texts))) if chat.messages[at].role == "user"), None)
        text, directives = extract_directives(
            "" if last is None else texts[last], chat.metadata, "messages", CHAT
        )
        answered = last is not None and chat.messages[-1].role in ("tool", "function")
        form = chat.response_format
        completion = complete(
            text,
            directives,
            chat.limits(),
            calls=_calls(chat, text, directives, answered),
            json_format=form.json_schema if isinstance(form, SchemaFormat) else isinstance(form, JsonFormat),
            location="response_format.json_schema.schema",
        )
        random = self._env.random(request)
        common = {
            "id": random_id(random, "chatcmpl-", 29),
            "created": int(self._env.wall()),
            "model": chat.model,
            "system_fingerprint": FINGERPRINT,
            "service_tier": served(chat.service_tier),
        }
        choices = chat.n or 1
        ids = [[random_id(random, "call_") for _ in completion.calls] for _ in range(choices)]
        tokens = usage(conversation(texts), choices * completion.tokens)
        top = (chat.top_logprobs or 0) if chat.logprobs else None
        legacy = chat.functions is not None
        if chat.stream:
            writes = chunks(common, completion, ids, top, tokens if include_usage else None, legacy)
            return pace.stream(self._env, writes, directives, tokens["total_tokens"])
        body = common | {
            "object": "chat.completion",
            "choices": [_choice(index, completion, own, top, legacy) for index, own in enumerate(ids)],
            "usage": tokens,
        }
        return pace.buffered(self._env, body, directives, completion.tokens, tokens["total_tokens"])


def served(tier: str | None) -> str:
    """Return the service tier that serves a request for ``tier``."""
    if tier is None or tier == "auto":
        return "default"
    return "priority" if tier == "fast" else tier


def _calls(chat: ChatRequest, text: str, directives: Directives, answered: bool) -> tuple[ToolCall, ...]:
    """Return the tool calls that the model makes in response to ``text``."""
    parameters = (chat.tools, chat.functions, chat.tool_choice, chat.function_call, chat.parallel_tool_calls)
    if parameters == _NO_TOOLS and not directives.tool and not directives.arguments:
        return ()  # the common case
    return _toolbox(chat).calls(text, directives, answered)


def _toolbox(chat: ChatRequest) -> Toolbox:
    """Return the tools of the request, given as ``tools`` or as the older ``functions``."""
    if chat.functions is None:
        if chat.function_call not in (None, "none"):
            raise bad_choice(
                "function_call", "'function_call' is only allowed when 'functions' are specified"
            )
        return tool_box(chat.tools, chat.tool_choice, chat.parallel_tool_calls)
    if chat.tools is not None:
        raise bad_choice("functions", "'functions' and 'tools' cannot both be specified")
    tool_box(None, chat.tool_choice, chat.parallel_tool_calls)
    return function_box(chat.functions, chat.function_call)


def _check(chat: ChatRequest) -> None:
    """Raise Refused for invalid requests that the types of the members cannot exclude."""
    if not chat.messages:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1"
        raise Refused(400, message, field="messages", code="empty_array")
    if chat.max_tokens is not None and chat.max_completion_tokens is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise Refused(400, message, field="max_tokens", code="invalid_parameter_combination")
    if chat.top_logprobs is not None and not chat.logprobs:
        message = "Invalid 'top_logprobs': it is only allowed when 'logprobs' is true"
        raise Refused(400, message, field="top_logprobs", code="invalid_value")


def _choice(
    index: int, completion: Completion, ids: list[str], top: int | None, legacy: bool
) -> dict[str, Any]:
    """Return a choice. ``ids`` are those of its calls; with ``legacy``, the calls are of ``functions``."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    likely = None
    if legacy and completion.calls:
        (call,) = completion.calls
        message["function_call"] = {"name": call.name, "arguments": call.text}
    elif completion.calls:
        message["tool_calls"] = [_call(call, id) for call, id in zip(completion.calls, ids, strict=True)]
    else:
        message[completion.kind] = completion.text
        if top is not None:
            each = [logprob(piece, top) for piece in completion.cut()]
            likely = {"content": None, "refusal": None} | {completion.kind: each}
    return {
        "index": index,
        "message": message,
        "logprobs": likely,
        "finish_reason": finish_reason(completion, legacy),
    }


def _call(call: ToolCall, id: str) -> dict[str, Any]:
    if call.kind == "custom":
        return {"id": id, "type": "custom", "custom": {"name": call.name, "input": call.text}}
    return {"id": id, "type": "function", "function": {"name": call.name, "arguments": call.text}}
