"""OpenAI: chat completions, buffered and streamed, and the list of models.

Shapes follow https://platform.openai.com/docs/api-reference/chat and /models. What the model says is
decided by the last user message alone; see ChatCompletions.
"""

import re
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.services import Env, UpstreamNode
from oagw.web.body import read_json
from oagw.web.reply import UPSTREAM, Reply, json_reply
from oagw.web.resource import Refused
from oagw.web.sse import encode_data
from oagw.web.stream import EventStream

# Seconds between two pieces of a streamed reply.
INTERVAL = 0.05

# At most this many characters of a message are quoted back.
QUOTED = 1000

MODELS = (
    ("gpt-4", 1687882411, "openai"),
    ("gpt-3.5-turbo", 1677610602, "openai"),
    ("gpt-4-turbo", 1712361441, "system"),
    ("gpt-4o", 1715367049, "system"),
    ("gpt-4o-mini", 1721172741, "system"),
    ("gpt-4.1", 1744316542, "system"),
    ("gpt-4.1-mini", 1744318173, "system"),
    ("o3-mini", 1737146383, "system"),
    ("text-embedding-3-small", 1705948997, "system"),
    ("text-embedding-3-large", 1705953180, "system"),
)

MODEL = {
    id: {"id": id, "object": "model", "created": created, "owned_by": owner} for id, created, owner in MODELS
}

_STREAM_HEADERS = {b"Content-Type": (b"text/event-stream; charset=utf-8",)}

_PIECE = re.compile(r"\s*\S+|\s+$")
_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Part(msgspec.Struct):
    """A part of a message's content; only parts with a text are read."""

    type: str
    text: str | None = None


class Message(msgspec.Struct):
    """A message of the conversation."""

    role: str
    content: str | list[Part] | None = None

    def text(self) -> str:
        """The content as text, its parts joined."""
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content)
        return self.content or ""


class StreamOptions(msgspec.Struct):
    """``include_usage`` asks for a last chunk with the usage."""

    include_usage: bool | None = None


class ChatRequest(msgspec.Struct):
    """The body of a chat request; members that are not listed are accepted and ignored."""

    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None


_chat_request = msgspec.json.Decoder(ChatRequest)


class OpenAINode(UpstreamNode):
    """A URL of the OpenAI API; says no with ``{"error": {"message", "type", "param", "code"}}``."""

    def refusal(self, request: Request, refused: Refused) -> Reply:
        rate_limited = refused.status == 429
        error = {
            "message": refused.message,
            "type": "rate_limit_error" if rate_limited else "invalid_request_error",
            "param": refused.field,
            "code": refused.code,
        }
        return json_reply({"error": error}, refused.status, source=UPSTREAM, headers=refused.headers)


class Models(OpenAINode):
    """GET /v1/models → 200 {"object": "list", "data": [model...]}; below it, /v1/models/{id}."""

    def getChild(self, path: bytes, request: Request) -> IResource:
        return Model(path.decode("utf-8", "replace")) if path else self

    def render_GET(self, request: Request) -> Reply:
        return json_reply({"object": "list", "data": list(MODEL.values())}, source=UPSTREAM)


class Model(OpenAINode):
    """GET /v1/models/{id} → 200 {"id", "object": "model", "created", "owned_by"}; 404 for others."""

    def __init__(self, id: str) -> None:
        super().__init__()
        self._id = id

    def render_GET(self, request: Request) -> Reply:
        model = MODEL.get(self._id)
        if model is None:
            message = f"The model '{self._id[:100]}' does not exist"
            raise Refused(404, message, field="model", code="model_not_found")
        return json_reply(model, source=UPSTREAM)


class ChatCompletions(OpenAINode):
    """POST /v1/chat/completions {"model": str, "messages": [...], "stream"?: bool} → 200.

    The last user message decides: with ``hello`` in it (in any case) the reply is a greeting; with
    ``error`` in it, 429 and ``Retry-After: 1``; else the reply quotes it. Buffered, the body is a
    ``chat.completion``. Streamed, it is ``chat.completion.chunk`` events 50 ms apart: the role, the text
    word by word, ``finish_reason`` (with ``stream_options.include_usage``, the usage), and ``[DONE]``.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply | EventStream:
        chat = read_json(request, _chat_request)
        if not chat.messages:
            raise Refused(
                400,
                "Invalid 'messages': empty array. Expected an array with minimum length 1",
                field="messages",
                code="empty_array",
            )
        completion = {
            "id": completion_id(self._env.random),
            "created": int(self._env.clock.seconds()),
            "model": chat.model,
            "system_fingerprint": "fp_44709d6fcb",
            "service_tier": "default",
        }
        said = say(chat.messages)
        tokens = usage(chat.messages, said)
        if chat.stream:
            include_usage = bool(chat.stream_options and chat.stream_options.include_usage)
            return self._env.streams.stream(
                chunks(completion, said, tokens if include_usage else None),
                INTERVAL,
                headers=_STREAM_HEADERS,
            )
        message: dict[str, Any] = {
            "role": "assistant",
            "content": said,
            "refusal": None,
            "annotations": [],
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        body = completion | {"object": "chat.completion", "choices": [choice], "usage": tokens}
        return json_reply(body, source=UPSTREAM)


def say(messages: list[Message]) -> str:
    """What the model answers to ``messages``; raises Refused for one that asks for an error."""
    asked = next((m.text() for m in reversed(messages) if m.role == "user"), "")
    if "hello" in asked.lower():
        return "Hello! How can I help you today?"
    if "error" in asked.lower():
        raise Refused(
            429,
            "Rate limit exceeded",
            code="rate_limit_exceeded",
            headers={b"Retry-After": (b"1",)},
        )
    quoted = asked if len(asked) <= QUOTED else asked[:QUOTED] + "…"
    return f'You said: "{quoted}" This is an answer from the mock gateway.'


def chunks(completion: dict[str, Any], said: str, tokens: dict[str, Any] | None) -> Iterator[bytes]:
    """The events of a streamed completion, one write each; the last write has all that ends it."""
    # All chunks of a completion begin alike. Encoded once, that is also all a stream keeps of it.
    base = completion | {"object": "chat.completion.chunk"}
    last = b""
    if tokens is not None:
        last = encode_data(msgspec.json.encode(base | {"choices": [], "usage": tokens}))
        base["usage"] = None  # the reference: null in all chunks but the last
    opening = msgspec.json.encode(base)[:-1] + b',"choices":['
    del completion, base, tokens

    def chunk(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return encode_data(opening + msgspec.json.encode(choice) + b"]}")

    yield chunk({"role": "assistant", "content": ""})
    for piece in _PIECE.finditer(said):  # one at a time: a list would stay as long as the stream
        yield chunk({"content": piece[0]})
    yield chunk({}, "stop") + last + encode_data(b"[DONE]")


def usage(messages: list[Message], said: str) -> dict[str, Any]:
    """Token counts as the API gives them: about one for four bytes, and four for each message's frame."""
    prompt = 3 + sum(4 + _tokens(m.text()) for m in messages)
    completion = sum(_tokens(piece[0]) for piece in _PIECE.finditer(said))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def completion_id(random: Random) -> str:
    """A fresh ``chatcmpl-`` id."""
    return "chatcmpl-" + "".join(random.choices(_ID_ALPHABET, k=29))


def _tokens(text: str) -> int:
    return -(-len(text.encode()) // 4)


def tree(env: Env) -> UpstreamNode:
    """The OpenAI API."""
    chat = OpenAINode({b"completions": ChatCompletions(env)})
    return OpenAINode({b"v1": OpenAINode({b"chat": chat, b"models": Models()})})
