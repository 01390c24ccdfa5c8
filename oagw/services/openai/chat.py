"""Chat completions: what may be asked, and the buffered answer. ``chunks`` has the streamed one."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from twisted.web.server import Request

from oagw.services import Env
from oagw.services.openai import pace
from oagw.services.openai.chat_tools import (
    Function,
    FunctionCall,
    Tool,
    ToolChoice,
    function_box,
    tool_box,
)
from oagw.services.openai.chunks import chunks, finish_reason
from oagw.services.openai.completion import (
    JsonSchema,
    Limits,
    Metadata,
    ModelName,
    Said,
    Stop,
    StreamOptions,
    say,
    stops,
    wants_usage,
)
from oagw.services.openai.directives import Steering
from oagw.services.openai.ids import fresh
from oagw.services.openai.messages import Message, text_of
from oagw.services.openai.models import FINGERPRINT, require
from oagw.services.openai.node import OpenAINode, Unsupported, read
from oagw.services.openai.request_directives import steer
from oagw.services.openai.tokens import conversation, logprob, usage
from oagw.services.openai.tools import Call, Toolbox, bad_choice
from oagw.web.reply import Reply
from oagw.web.resource import Refused
from oagw.web.stream import EventStream

Penalty = Annotated[float, Meta(ge=-2, le=2)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
LogitBias = dict[str, Annotated[float, Meta(ge=-100, le=100)]]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Verbosity = Literal["low", "medium", "high"]
Tier = Literal["auto", "default", "flex", "scale", "priority", "fast"]


class PlainFormat(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    """Any text."""


class JsonFormat(msgspec.Struct, tag_field="type", tag="json_object", forbid_unknown_fields=True):
    """Any JSON object."""


class SchemaFormat(msgspec.Struct, tag_field="type", tag="json_schema", forbid_unknown_fields=True):
    """JSON that is valid against a schema."""

    json_schema: JsonSchema


class ChatRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a chat request. ``docs/openai.md`` says which parameters do something."""

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
    functions: Annotated[list[Function], Meta(max_length=128)] | None = None
    function_call: FunctionCall | None = None
    response_format: PlainFormat | JsonFormat | SchemaFormat | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    metadata: Metadata | None = None
    service_tier: Tier | None = None

    # Checked, and without effect.
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
        """What bounds the answer."""
        most = self.max_completion_tokens or self.max_tokens
        likely = (self.top_logprobs or 0) if self.logprobs else None
        return Limits(most, stops(self.stop), self.n or 1, likely)


# What a request says of tools if it says nothing of them.
_NO_TOOLS = (None,) * 5

_chat_request = msgspec.json.Decoder(ChatRequest)


class ChatCompletions(OpenAINode):
    """POST /v1/chat/completions {"model": str, "messages": [...], "stream"?: bool, ...} → 200.

    Buffered, the body is a ``chat.completion``. Streamed, it is ``chat.completion.chunk`` events 50 ms
    apart: the role, the text word by word (or the arguments of a tool call in fragments),
    ``finish_reason`` (with ``stream_options.include_usage``, the usage), and ``[DONE]``. The choices of
    ``n`` > 1 say the same, a piece each at a time.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply | EventStream:
        chat = read(request, _chat_request)
        _check(chat)
        include_usage = wants_usage(chat.stream_options, chat.stream)
        require(chat.model, self._env)
        texts = [text_of(message.content) for message in chat.messages]
        asked = next((at for at in reversed(range(len(texts))) if chat.messages[at].role == "user"), None)
        text, steering = steer("" if asked is None else texts[asked], chat.metadata, "messages")
        answered = asked is not None and chat.messages[-1].role in ("tool", "function")
        form = chat.response_format
        said = say(
            text,
            steering,
            chat.limits(),
            calls=_calls(chat, text, steering, answered),
            form=form.json_schema if isinstance(form, SchemaFormat) else isinstance(form, JsonFormat),
            place="response_format.json_schema.schema",
        )
        completion = {
            "id": fresh(self._env.random, "chatcmpl-", 29),
            "created": int(self._env.wall()),
            "model": chat.model,
            "system_fingerprint": FINGERPRINT,
            "service_tier": served(chat.service_tier),
        }
        choices = chat.n or 1
        ids = [[fresh(self._env.random, "call_") for _ in said.calls] for _ in range(choices)]
        tokens = usage(conversation(texts), choices * said.tokens)
        top = (chat.top_logprobs or 0) if chat.logprobs else None
        legacy = chat.functions is not None
        if chat.stream:
            writes = chunks(completion, said, ids, top, tokens if include_usage else None, legacy)
            return pace.stream(self._env, writes, steering, tokens["total_tokens"])
        body = completion | {
            "object": "chat.completion",
            "choices": [_choice(index, said, own, top, legacy) for index, own in enumerate(ids)],
            "usage": tokens,
        }
        return pace.buffered(self._env, body, steering, said.tokens, tokens["total_tokens"])


def served(tier: str | None) -> str:
    """The tier in which a request is served that asks for ``tier``."""
    if tier is None or tier == "auto":
        return "default"
    return "priority" if tier == "fast" else tier


def _calls(chat: ChatRequest, text: str, steering: Steering, answered: bool) -> tuple[Call, ...]:
    """The calls that the model makes about ``text``."""
    asked = (chat.tools, chat.functions, chat.tool_choice, chat.function_call, chat.parallel_tool_calls)
    if asked == _NO_TOOLS and not steering.tool and not steering.arguments:
        return ()  # as most chats
    return _toolbox(chat).calls(text, steering, answered)


def _toolbox(chat: ChatRequest) -> Toolbox:
    """What the request offers to call, as tools or, from before those, as functions."""
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
    """Refuse what the types alone do not."""
    if not chat.messages:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1"
        raise Refused(400, message, field="messages", code="empty_array")
    if chat.max_tokens is not None and chat.max_completion_tokens is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise Refused(400, message, field="max_tokens", code="invalid_parameter_combination")
    if chat.top_logprobs is not None and not chat.logprobs:
        message = "Invalid 'top_logprobs': it is only allowed when 'logprobs' is true"
        raise Refused(400, message, field="top_logprobs", code="invalid_value")


def _choice(index: int, said: Said, ids: list[str], top: int | None, legacy: bool) -> dict[str, Any]:
    """A choice with calls of these ``ids``; ``legacy`` is whether functions are called and not tools."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    likely = None
    if legacy and said.calls:
        (call,) = said.calls
        message["function_call"] = {"name": call.name, "arguments": call.text}
    elif said.calls:
        message["tool_calls"] = [_call(call, id) for call, id in zip(said.calls, ids, strict=True)]
    else:
        message[said.kind] = said.text
        if top is not None:
            each = [logprob(piece, top) for piece in said.spoken()]
            likely = {"content": None, "refusal": None} | {said.kind: each}
    return {
        "index": index,
        "message": message,
        "logprobs": likely,
        "finish_reason": finish_reason(said, legacy),
    }


def _call(call: Call, id: str) -> dict[str, Any]:
    if call.kind == "custom":
        return {"id": id, "type": "custom", "custom": {"name": call.name, "input": call.text}}
    return {"id": id, "type": "function", "function": {"name": call.name, "arguments": call.text}}
