"""Chat completions: what may be asked, and the buffered answer. ``chunks`` has the streamed one."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from twisted.web.server import Request

from oagw.services import Env
from oagw.services.openai import pace
from oagw.services.openai.chunks import chunks
from oagw.services.openai.ids import fresh
from oagw.services.openai.models import FINGERPRINT, require
from oagw.services.openai.saying import (
    JsonSchema,
    Limits,
    Metadata,
    ModelName,
    Part,
    Said,
    Stop,
    StreamOptions,
    say,
    stops,
    text_of,
    wants_usage,
)
from oagw.services.openai.shape import OpenAINode, read
from oagw.services.openai.steering import steer
from oagw.services.openai.tokens import conversation, logprob, usage
from oagw.services.openai.tools import Tool, ToolChoice, toolbox
from oagw.web.reply import Reply
from oagw.web.resource import Refused
from oagw.web.stream import EventStream

Penalty = Annotated[float, Meta(ge=-2, le=2)]
Count = Annotated[int, Meta(ge=1)]
Tier = Literal["auto", "default", "flex", "scale", "priority"]


class Message(msgspec.Struct):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None


class PlainFormat(msgspec.Struct, tag_field="type", tag="text"):
    """Any text."""


class JsonFormat(msgspec.Struct, tag_field="type", tag="json_object"):
    """Any JSON object."""


class SchemaFormat(msgspec.Struct, tag_field="type", tag="json_schema"):
    """JSON that is valid against a schema."""

    json_schema: JsonSchema


class ChatRequest(msgspec.Struct):
    """The body of a chat request; members that are not listed are accepted and ignored."""

    model: ModelName
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop: Stop | Annotated[list[Stop], Meta(max_length=4)] | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    tools: Annotated[list[Tool], Meta(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    response_format: PlainFormat | JsonFormat | SchemaFormat | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    seed: int | None = None
    service_tier: Tier | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    metadata: Metadata | None = None
    user: str | None = None

    def limits(self) -> Limits:
        """What bounds the answer."""
        most = self.max_completion_tokens or self.max_tokens
        return Limits(most, stops(self.stop), self.n or 1, self.top_logprobs or 0)


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
        call = toolbox(chat.tools, chat.tool_choice).call(text, steering, answered)
        form = chat.response_format
        said = say(
            text,
            steering,
            chat.limits(),
            call=call,
            form=form.json_schema if isinstance(form, SchemaFormat) else isinstance(form, JsonFormat),
            place="response_format.json_schema.schema",
        )
        completion = {
            "id": fresh(self._env.random, "chatcmpl-", 29),
            "created": int(self._env.wall()),
            "model": chat.model,
            "system_fingerprint": FINGERPRINT,
            "service_tier": chat.service_tier if chat.service_tier not in (None, "auto") else "default",
        }
        choices = chat.n or 1
        calls = [fresh(self._env.random, "call_") if call else "" for _ in range(choices)]
        tokens = usage(conversation(texts), choices * said.tokens)
        top = (chat.top_logprobs or 0) if chat.logprobs else None
        if chat.stream:
            writes = chunks(completion, said, calls, top, tokens if include_usage else None)
            return pace.stream(self._env, writes, steering, tokens["total_tokens"])
        body = completion | {
            "object": "chat.completion",
            "choices": [_choice(index, said, call, top) for index, call in enumerate(calls)],
            "usage": tokens,
        }
        return pace.buffered(self._env, body, steering, said.tokens, tokens["total_tokens"])


def _check(chat: ChatRequest) -> None:
    """Refuse what the types alone do not."""
    if not chat.messages:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1"
        raise Refused(400, message, field="messages", code="empty_array")
    if chat.top_logprobs is not None and not chat.logprobs:
        message = "Invalid 'top_logprobs': it is only allowed when 'logprobs' is true"
        raise Refused(400, message, field="top_logprobs", code="invalid_value")


def _choice(index: int, said: Said, call: str, top: int | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    likely = None
    if said.kind == "call":
        function = {"name": said.name, "arguments": said.text}
        message["tool_calls"] = [{"id": call, "type": "function", "function": function}]
    else:
        message[said.kind] = said.text
        if top is not None:
            each = [logprob(piece, top) for piece in said.spoken()]
            likely = {"content": None, "refusal": None} | {said.kind: each}
    return {"index": index, "message": message, "logprobs": likely, "finish_reason": said.finish}
