"""Completions, the API from before chat: a prompt and the text that follows it."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from twisted.web.server import Request

from oagw.model.sse import encode_data
from oagw.services import Env
from oagw.services.openai import pace
from oagw.services.openai.chat import Count, LogitBias, Penalty, Share, Temperature
from oagw.services.openai.completion import (
    MOST,
    Limits,
    Metadata,
    ModelName,
    Said,
    Stop,
    StreamOptions,
    bounded,
    say,
    stops,
    wants_usage,
)
from oagw.services.openai.directives import TIMES, Steering
from oagw.services.openai.ids import fresh
from oagw.services.openai.models import FINGERPRINT, require
from oagw.services.openai.node import OpenAINode, read
from oagw.services.openai.request_directives import steer
from oagw.services.openai.tokens import count, logprob, usage
from oagw.web.reply import Reply
from oagw.web.resource import Refused
from oagw.web.stream import EventStream

_MOST_CHOICES = 128

# What a directive may ask of a text that is neither refused nor a call.
_DIRECTIVES = ("reply", "tokens", "finish", *TIMES)


class CompletionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request for completions. ``docs/openai.md`` says which parameters do something."""

    model: ModelName
    prompt: str | list[str | int | list[int]] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    echo: bool | None = None
    stop: Stop | Annotated[list[Stop], Meta(max_length=4)] | None = None
    max_tokens: Count | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    metadata: Metadata | None = None  # not the API's: it steers the mock

    # Checked, and without effect.
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

    Each prompt is answered ``n`` times, as a chat message would be. Buffered, the body is a
    ``text_completion``; streamed, such are events, 50 ms apart, and ``[DONE]``. Without ``max_tokens``
    the answer is whole.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply | EventStream:
        asked = read(request, _completion_request)
        require(asked.model, self._env)
        prompts = _prompts(asked.prompt)
        choices = (asked.n or 1) * len(prompts)
        if choices > _MOST_CHOICES:
            message = f"Invalid 'n': prompts times n must be at most {_MOST_CHOICES}"
            raise Refused(400, message, field="n", code="invalid_value")
        _check_best_of(asked)
        include_usage = wants_usage(asked.stream_options, asked.stream)
        steering = Steering()
        all_said: list[Said] = []
        for prompt in prompts:
            said, steering = _said(asked, prompt, choices)
            all_said += [said] * (asked.n or 1)
        completion = {
            "id": fresh(self._env.random, "cmpl-", 29),
            "created": int(self._env.wall()),
            "model": asked.model,
            "system_fingerprint": FINGERPRINT,
            "object": "text_completion",
        }
        tokens = usage(sum(map(count, prompts)), sum(said.tokens for said in all_said))
        total = tokens["total_tokens"]
        if asked.stream:
            writes = _chunks(completion, all_said, asked.logprobs, tokens if include_usage else None)
            return pace.stream(self._env, writes, steering, total)
        answers = [_choice(index, said, asked.logprobs) for index, said in enumerate(all_said)]
        body = completion | {"choices": answers, "usage": tokens}
        return pace.buffered(self._env, body, steering, max(said.tokens for said in all_said), total)


def _check_best_of(asked: CompletionRequest) -> None:
    """Refuse a number of candidates that the answers cannot be chosen from."""
    if asked.best_of is None:
        return
    if asked.best_of < (asked.n or 1):
        raise Refused(
            400, "Invalid 'best_of': it must be at least 'n'.", field="best_of", code="invalid_value"
        )
    if asked.stream and asked.best_of > (asked.n or 1):
        raise Refused(
            400, "Invalid 'best_of': its results cannot be streamed.", field="best_of", code="invalid_value"
        )


def _prompts(given: str | list[str | int | list[int]] | None) -> list[str]:
    """The prompts as texts; what is given in tokens is told by its length."""
    if given is None or isinstance(given, str):
        return [given or ""]
    if not given:
        raise Refused(400, "Invalid 'prompt': empty array.", field="prompt", code="empty_array")
    if all(isinstance(each, int) for each in given):
        return [f"{len(given)} tokens"]
    if any(isinstance(each, int) for each in given):
        message = "Invalid 'prompt': expected texts or lists of tokens"
        raise Refused(400, message, field="prompt", code="invalid_type")
    return [
        each if isinstance(each, str) else f"{len(each)} tokens"
        for each in given
        if not isinstance(each, int)
    ]


def _said(asked: CompletionRequest, prompt: str, choices: int) -> tuple[Said, Steering]:
    text, steering = steer(prompt, asked.metadata, "prompt", _DIRECTIVES)
    limits = Limits(asked.max_tokens, stops(asked.stop), choices, asked.logprobs)
    said = say(text, steering, limits)
    if asked.echo:
        said = bounded(said._replace(text=text + said.text), limits)
        if asked.logprobs is not None:  # also for what is echoed
            bounded(said._replace(tokens=sum(1 for _ in islice(said.spoken(), MOST + 1))), limits)
    return said, steering


def _chunks(
    completion: dict[str, Any], all_said: list[Said], top: int | None, tokens: dict[str, Any] | None
) -> Iterator[bytes]:
    """The events of a streamed completion: nothing to open it, a write for each piece of all, and the end."""
    last = b""
    if tokens is not None:
        last = encode_data(msgspec.json.encode(completion | {"choices": [], "usage": tokens}))
        completion = completion | {"usage": None}
    opening = b"data: " + msgspec.json.encode(completion)[:-1] + b',"choices":['
    del completion, tokens

    def chunk(index: int, text: str, likely: Any, finish: str | None) -> bytes:
        choice = {"text": text, "index": index, "logprobs": likely, "finish_reason": finish}
        return b"%b%b]}\n\n" % (opening, msgspec.json.encode(choice))

    yield b""
    speaking = {index: said.spoken() for index, said in enumerate(all_said)}
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
    ends = [chunk(index, "", None, said.finish) for index, said in enumerate(all_said)]
    yield b"".join(ends) + last + encode_data(b"[DONE]")


def _choice(index: int, said: Said, top: int | None) -> dict[str, Any]:
    likely = None if top is None else _likely(list(said.spoken()), top)
    return {"text": said.text, "index": index, "logprobs": likely, "finish_reason": said.finish}


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
