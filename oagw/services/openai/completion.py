"""What the model says: decided by the last user message, the limits of the request and its directives.

A short message with the word ``hello`` gets a greeting, one with the word ``error`` a 429 (see ``keywords``);
any other message is quoted. If the request wants JSON, the completion is that text in a JSON object, or a
value that conforms to the request's schema. Directives override all of this.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from oagw.model.refused import Refused
from oagw.services.openai.directives import Directives
from oagw.services.openai.keywords import keyword
from oagw.services.openai.node import failure
from oagw.services.openai.tokens import FRAGMENTS, WORDS, cut
from oagw.services.openai.tools import ToolCall, written

# The largest number of characters of a message that are quoted.
QUOTED = 1000

# The largest number of tokens in response to one request, over all choices and with alternatives.
MOST = 65_536
_MOST_CHARACTERS = 1_000_000

# Limits of texts that are repeated in every chunk of a stream, or searched for in the text.
ModelName = Annotated[str, Meta(min_length=1, max_length=256)]
Stop = Annotated[str, Meta(max_length=1000)]
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]


class StreamOptions(msgspec.Struct, forbid_unknown_fields=True):
    """With ``include_usage``, a last chunk has the usage. ``include_obfuscation`` has no effect."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class JsonSchema(msgspec.Struct, forbid_unknown_fields=True):
    """A named schema that the content must conform to."""

    name: str
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class Completion(msgspec.Struct, frozen=True):
    """What the model says in one choice: a text, a refusal, or tool ``calls``.

    ``pieces`` matches the tokens of the text, ``tokens`` is their number, and ``finish`` is the
    ``finish_reason``.
    """

    text: str
    kind: Literal["content", "refusal", "calls"]
    finish: Literal["stop", "length", "tool_calls", "content_filter"]
    pieces: re.Pattern[str]
    tokens: int
    calls: tuple[ToolCall, ...] = ()

    def cut(self) -> Iterator[str]:
        """Yield the tokens of the text."""
        return cut(self.text, self.pieces)

    @property
    def is_truncated(self) -> bool:
        """Whether the completion ends early, because of a limit or the content filter."""
        return self.finish in ("length", "content_filter")


class Limits(NamedTuple):
    """The limits that a request sets: tokens, stop sequences, choices, and alternatives per token.

    ``logprobs`` is None if the request does not ask for log probabilities.
    """

    tokens: int | None = None
    stop: Sequence[str] = ()
    choices: int = 1
    logprobs: int | None = None


def stops(stop: str | list[str] | None) -> list[str]:
    """Return the stop sequences of a request as a list."""
    return [stop] if isinstance(stop, str) else stop or []


def wants_usage(options: StreamOptions | None, stream: bool | None) -> bool:
    """Return whether a stream ends with the usage; raise Refused for options without a stream."""
    if options is not None and not stream:
        message = "Invalid 'stream_options': it is only allowed when 'stream' is true"
        raise Refused(400, message, field="stream_options", code="invalid_value")
    return bool(options and options.include_usage)


def complete(
    message: str,
    directives: Directives,
    limits: Limits,
    *,
    calls: tuple[ToolCall, ...] = (),
    json_format: JsonSchema | bool = False,
    location: str = "",
) -> Completion:
    """Return the model's completion of ``message``, or its ``calls`` if there are any.

    ``json_format`` is True for a JSON object, or the schema that it must conform to, which is at ``location``
    in the request body. Raises Refused if the message asks for an error, or the completion is too long.
    """
    word = keyword(message)
    if word == "error" and directives.reply is None and directives.refusal is None and not directives.tool:
        raise failure(429)
    if calls:
        completion = Completion("", "calls", "tool_calls", FRAGMENTS, 0, calls)
    elif directives.refusal is not None:
        completion = Completion(directives.refusal, "refusal", "stop", WORDS, 0)
    elif directives.reply is not None:
        completion = Completion(
            directives.reply, "content", "stop", WORDS if json_format is False else FRAGMENTS, 0
        )
    elif json_format is not False:
        completion = Completion(
            _json(_answer(message, word), json_format, location), "content", "stop", FRAGMENTS, 0
        )
    else:
        completion = Completion(_answer(message, word), "content", "stop", WORDS, 0)
    if directives.tokens is not None and not calls:
        completion = replace(
            completion, text=_lengthened(completion.text, directives.tokens, completion.pieces)
        )
    completion = _limited(completion, limits)
    return completion if directives.finish is None else replace(completion, finish=directives.finish)


def _answer(message: str, word: str | None) -> str:
    if word == "hello":
        return "Hello! How can I help you today?"
    quoted = message if len(message) <= QUOTED else message[:QUOTED] + "…"
    return f'You said: "{quoted}" This is an answer from the mock gateway.'


def _json(text: str, json_format: JsonSchema | bool, location: str) -> str:
    if isinstance(json_format, JsonSchema) and json_format.schema is not None:
        return written(json_format.schema, location)
    return msgspec.json.encode({"answer": text}).decode()


def _lengthened(text: str, tokens: int, pieces: re.Pattern[str]) -> str:
    """Return ``text`` truncated or repeated to this number of ``tokens``."""
    words: list[str] = []
    while len(words) < tokens:
        more = [piece[0] for piece in pieces.finditer(text)] or ["text"]
        if words and pieces is WORDS:
            more[0] = " " + more[0].lstrip()
        words += more
    return "".join(words[:tokens])


def _limited(completion: Completion, limits: Limits) -> Completion:
    """Return ``completion`` truncated to the ``limits``, with its number of tokens."""
    if completion.kind == "calls":
        return checked(_limited_calls(completion, limits.tokens), limits)
    text = completion.text
    if limits.tokens is not None:
        text = _first(text, completion.pieces, limits.tokens)
        if len(text) < len(completion.text):
            completion = replace(completion, text=text, finish="length")
    if completion.kind == "content":
        cuts = [at for stop in limits.stop if stop and (at := completion.text.find(stop)) >= 0]
        if cuts:
            completion = replace(completion, text=completion.text[: min(cuts)], finish="stop")
    return checked(replace(completion, tokens=_count(completion.text, completion.pieces)), limits)


def _limited_calls(completion: Completion, most: int | None) -> Completion:
    """Return ``completion`` with its calls truncated to ``most`` tokens in all."""
    calls: list[ToolCall] = []
    tokens = 0
    for call in completion.calls:
        text = call.text if most is None else _first(call.text, completion.pieces, most - tokens)
        calls.append(call._replace(text=text))
        tokens += _count(text, completion.pieces)
        if len(text) < len(call.text) or (tokens == most and len(calls) < len(completion.calls)):
            return replace(completion, calls=tuple(calls), tokens=tokens, finish="length")
    return replace(completion, calls=tuple(calls), tokens=tokens)


def _first(text: str, pieces: re.Pattern[str], most: int) -> str:
    """Return the first ``most`` tokens of ``text``."""
    ends = [piece.end() for piece in islice(pieces.finditer(text), min(most, len(text)))]
    return text[: ends[-1] if ends else 0]


def _count(text: str, pieces: re.Pattern[str]) -> int:
    return len(pieces.findall(text))


def checked(completion: Completion, limits: Limits) -> Completion:
    """Return ``completion``; raise Refused if all choices together are too long."""
    length = sum(len(call.text) for call in completion.calls) if completion.calls else len(completion.text)
    likely = 0 if limits.logprobs is None else 1 + limits.logprobs  # each takes as long as two tokens
    if (
        limits.choices * (1 + 2 * likely) * completion.tokens > MOST
        or limits.choices * (1 + likely) * length > _MOST_CHARACTERS
    ):
        raise Refused(
            400,
            f"Invalid value for 'n': the mock sends at most {MOST} tokens and {_MOST_CHARACTERS} characters "
            f"in response to a request, and this one asks for {limits.choices} choices of "
            f"{completion.tokens} tokens and {length} characters, with {likely} log probabilities per token.",
            field="n",
            code="invalid_value",
        )
    return completion
