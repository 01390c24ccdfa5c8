"""Completions, the predecessor of chat completions: a prompt and the text that follows it."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.model.sse import encode_data
from oagw.services import Env
from oagw.services.openai import pace
from oagw.services.openai.chat import Count, LogitBias, Penalty, Share, Temperature
from oagw.services.openai.completion import (
    MOST,
    Completion,
    Limits,
    Metadata,
    ModelName,
    Stop,
    StreamOptions,
    checked,
    complete,
    stops,
    wants_usage,
)
from oagw.services.openai.directives import TIMES, Directives
from oagw.services.openai.ids import random_id
from oagw.services.openai.models import FINGERPRINT, require
from oagw.services.openai.node import OpenAINode, read
from oagw.services.openai.request_directives import extract_directives
from oagw.services.openai.tokens import count, logprob, usage
from oagw.web.reply import Reply
from oagw.web.stream import Stream

_MOST_CHOICES = 128

# The directives that apply to an endpoint without refusals and tools.
_DIRECTIVES = ("reply", "tokens", "finish", *TIMES)


class CompletionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a completion request. ``docs/openai.md`` lists the parameters that have an effect."""

    model: ModelName
    prompt: str | list[str | int | list[int]] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    echo: bool | None = None
    stop: Stop | Annotated[list[Stop], Meta(max_length=4)] | None = None
    max_tokens: Count | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    metadata: Metadata | None = None  # not part of the API: may contain directives

    # Validated, but without effect.
    best_of: Annotated[int, Meta(ge=1, le=20)] | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: LogitBias | None = None
    presence_penalty: Penalty | None = None
    seed: int | None = None
    suffix: str | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    user: str | None = None


_completion_request = msgspec.json.Decoder(CompletionRequest)


class Completions(OpenAINode):
    """POST /v1/completions {"model": str, "prompt": str or tokens or a list of such, ...} → 200.

    Each prompt gets ``n`` completions, the same as a chat message would. Buffered, the body is a
    ``text_completion``. Streamed, it is ``text_completion`` events 50 ms apart and ``[DONE]``. Unlike in the
    real API, the default of ``max_tokens`` is no limit.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply | Stream:
        body = read(request, _completion_request)
        require(body.model, self._env)
        prompts = _prompts(body.prompt)
        choices = (body.n or 1) * len(prompts)
        if choices > _MOST_CHOICES:
            message = f"Invalid 'n': prompts times n must be at most {_MOST_CHOICES}"
            raise Refused(400, message, field="n", code="invalid_value")
        _check_best_of(body)
        include_usage = wants_usage(body.stream_options, body.stream)
        directives = Directives()
        completions: list[Completion] = []
        for prompt in prompts:
            completion, directives = _complete(body, prompt, choices)
            completions += [completion] * (body.n or 1)
        common = {
            "id": random_id(self._env.random(request), "cmpl-", 29),
            "created": int(self._env.wall()),
            "model": body.model,
            "system_fingerprint": FINGERPRINT,
            "object": "text_completion",
        }
        tokens = usage(sum(map(count, prompts)), sum(completion.tokens for completion in completions))
        total = tokens["total_tokens"]
        if body.stream:
            writes = _chunks(common, completions, body.logprobs, tokens if include_usage else None)
            return pace.stream(self._env, writes, directives, total)
        answers = [_choice(index, each, body.logprobs) for index, each in enumerate(completions)]
        answer = common | {"choices": answers, "usage": tokens}
        longest = max(each.tokens for each in completions)
        return pace.buffered(self._env, answer, directives, longest, total)


def _check_best_of(body: CompletionRequest) -> None:
    """Raise Refused if ``best_of`` is less than ``n``, or greater in a stream."""
    if body.best_of is None:
        return
    if body.best_of < (body.n or 1):
        raise Refused(
            400, "Invalid 'best_of': it must be at least 'n'.", field="best_of", code="invalid_value"
        )
    if body.stream and body.best_of > (body.n or 1):
        raise Refused(
            400, "Invalid 'best_of': results cannot be streamed.", field="best_of", code="invalid_value"
        )


def _prompts(given: str | list[str | int | list[int]] | None) -> list[str]:
    """Return the prompts as strings; a prompt of tokens is represented by its length."""
    if given is None or isinstance(given, str):
        return [given or ""]
    if not given:
        raise Refused(400, "Invalid 'prompt': empty array.", field="prompt", code="empty_array")
    if all(isinstance(each, int) for each in given):
        return [f"{len(given)} tokens"]
    if any(isinstance(each, int) for each in given):
        message = "Invalid 'prompt': expected strings or arrays of tokens"
        raise Refused(400, message, field="prompt", code="invalid_type")
    return [
        each if isinstance(each, str) else f"{len(each)} tokens"
        for each in given
        if not isinstance(each, int)
    ]


def _complete(body: CompletionRequest, prompt: str, choices: int) -> tuple[Completion, Directives]:
    text, directives = extract_directives(prompt, body.metadata, "prompt", _DIRECTIVES)
    limits = Limits(body.max_tokens, stops(body.stop), choices, body.logprobs)
    completion = complete(text, directives, limits)
    if body.echo:
        completion = checked(replace(completion, text=text + completion.text), limits)
        if body.logprobs is not None:  # the echoed tokens have log probabilities too
            checked(replace(completion, tokens=sum(1 for _ in islice(completion.cut(), MOST + 1))), limits)
    return completion, directives


def _chunks(
    common: dict[str, Any], completions: list[Completion], top: int | None, tokens: dict[str, Any] | None
) -> Iterator[bytes]:
    """Yield the writes of a stream: an empty opening, one for each token of all choices, and the end."""
    last = b""
    if tokens is not None:
        last = encode_data(msgspec.json.encode(common | {"choices": [], "usage": tokens}))
        common = common | {"usage": None}
    opening = b"data: " + msgspec.json.encode(common)[:-1] + b',"choices":['
    del common, tokens

    def chunk(index: int, text: str, likely: Any, finish: str | None) -> bytes:
        choice = {"text": text, "index": index, "logprobs": likely, "finish_reason": finish}
        return b"%b%b]}\n\n" % (opening, msgspec.json.encode(choice))

    yield b""
    speaking = {index: completion.cut() for index, completion in enumerate(completions)}
    offsets = dict.fromkeys(speaking, 0)
    while speaking:
        write = []
        for index, pieces in list(speaking.items()):
            piece = next(pieces, None)
            if piece is None:
                del speaking[index]
                continue
            likely = None if top is None else _likely([piece], top, offsets[index])
            offsets[index] += len(piece)
            write.append(chunk(index, piece, likely, None))
        if write:
            yield b"".join(write)
    ends = [chunk(index, "", None, completion.finish) for index, completion in enumerate(completions)]
    yield b"".join(ends) + last + encode_data(b"[DONE]")


def _choice(index: int, completion: Completion, top: int | None) -> dict[str, Any]:
    likely = None if top is None else _likely(list(completion.cut()), top)
    return {"text": completion.text, "index": index, "logprobs": likely, "finish_reason": completion.finish}


def _likely(pieces: list[str], top: int, offset: int = 0) -> dict[str, Any]:
    each = [logprob(piece, top) for piece in pieces]
    offsets = [offset]
    for piece in pieces[:-1]:
        offsets.append(offsets[-1] + len(piece))
    return {
        "tokens": pieces,
        "token_logprobs": [one["logprob"] for one in each],
        "top_logprobs": [{t["token"]: t["logprob"] for t in one["top_logprobs"]} for one in each],
        "text_offset": offsets[: len(pieces)],
    }
