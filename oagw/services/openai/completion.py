"""What the model says: decided by the last user message, the limits of the request and its steering.

A short message with the word ``hello`` is greeted, one with ``error`` is refused with 429 (``keywords``);
anything else is quoted. Where the request wants JSON, that text or a value of the schema comes as JSON.
``steering`` overrides it.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from oagw.services.openai.directives import Steering
from oagw.services.openai.keywords import keyword
from oagw.services.openai.node import failure
from oagw.services.openai.tokens import FRAGMENTS, WORDS, cut
from oagw.services.openai.tools import Call, written
from oagw.web.resource import Refused

# At most this many characters of a message are quoted back.
QUOTED = 1000

# At most this many tokens are said to one request, over all choices and with their likelier others.
MOST = 65_536
_MOST_CHARACTERS = 1_000_000

# What a text in a request must keep to, for it is repeated in every chunk of a stream.
ModelName = Annotated[str, Meta(min_length=1, max_length=256)]
Stop = Annotated[str, Meta(max_length=1000)]
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]


class StreamOptions(msgspec.Struct, forbid_unknown_fields=True):
    """``include_usage`` asks for a last chunk with the usage; nothing is obfuscated."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class JsonSchema(msgspec.Struct, forbid_unknown_fields=True):
    """A named schema that the content is to be valid against."""

    name: str
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class Said(NamedTuple):
    """What one choice says: a text or a refusal, or the ``calls`` of tools that it makes instead.

    ``pieces`` is how it is cut into tokens, ``tokens`` how many there are, ``finish`` why it ends.
    """

    text: str
    kind: Literal["content", "refusal", "calls"]
    finish: Literal["stop", "length", "tool_calls", "content_filter"]
    pieces: re.Pattern[str]
    tokens: int
    calls: tuple[Call, ...] = ()

    def spoken(self) -> Iterator[str]:
        """The pieces of the text, one at a time."""
        return cut(self.text, self.pieces)

    @property
    def cut_short(self) -> bool:
        """Whether it ends before its end."""
        return self.finish in ("length", "content_filter")


class Limits(NamedTuple):
    """The limits of a request: tokens, texts to stop at, choices, and likelier tokens beside each.

    ``logprobs`` is None where no log probabilities are given.
    """

    tokens: int | None = None
    stop: Sequence[str] = ()
    choices: int = 1
    logprobs: int | None = None


def stops(stop: str | list[str] | None) -> list[str]:
    """The texts to stop at, of which a request may give one, several or none."""
    return [stop] if isinstance(stop, str) else stop or []


def wants_usage(options: StreamOptions | None, stream: bool | None) -> bool:
    """Whether a stream is to end with the usage; Refused where there are options and no stream."""
    if options is not None and not stream:
        message = "Invalid 'stream_options': it is only allowed when 'stream' is true"
        raise Refused(400, message, field="stream_options", code="invalid_value")
    return bool(options and options.include_usage)


def say(
    asked: str,
    steering: Steering,
    limits: Limits,
    *,
    calls: tuple[Call, ...] = (),
    form: JsonSchema | bool = False,
    place: str = "",
) -> Said:
    """What the model answers to ``asked``, if it does not make ``calls`` of tools.

    ``form`` is whether the answer is to be JSON, or the schema of it, which is at ``place`` in the body.
    Raises Refused for a message that asks for an error.
    """
    word = keyword(asked)
    if word == "error" and steering.reply is None and steering.refusal is None and not steering.tool:
        raise failure(429)
    if calls:
        said = Said("", "calls", "tool_calls", FRAGMENTS, 0, calls)
    elif steering.refusal is not None:
        said = Said(steering.refusal, "refusal", "stop", WORDS, 0)
    elif steering.reply is not None:
        said = Said(steering.reply, "content", "stop", WORDS if form is False else FRAGMENTS, 0)
    elif form is not False:
        said = Said(_json(_answer(asked, word), form, place), "content", "stop", FRAGMENTS, 0)
    else:
        said = Said(_answer(asked, word), "content", "stop", WORDS, 0)
    if steering.tokens is not None and not calls:
        said = said._replace(text=_lengthened(said.text, steering.tokens, said.pieces))
    said = _limited(said, limits)
    return said if steering.finish is None else said._replace(finish=steering.finish)


def _answer(asked: str, word: str | None) -> str:
    if word == "hello":
        return "Hello! How can I help you today?"
    quoted = asked if len(asked) <= QUOTED else asked[:QUOTED] + "…"
    return f'You said: "{quoted}" This is an answer from the mock gateway.'


def _json(text: str, form: JsonSchema | bool, place: str) -> str:
    if isinstance(form, JsonSchema) and form.schema is not None:
        return written(form.schema, place)
    return msgspec.json.encode({"answer": text}).decode()


def _lengthened(text: str, tokens: int, pieces: re.Pattern[str]) -> str:
    """The first so many ``tokens`` of ``text``, said as often as it takes."""
    words: list[str] = []
    while len(words) < tokens:
        more = [piece[0] for piece in pieces.finditer(text)] or ["text"]
        if words and pieces is WORDS:
            more[0] = " " + more[0].lstrip()
        words += more
    return "".join(words[:tokens])


def _limited(said: Said, limits: Limits) -> Said:
    """``said`` as far as the ``limits`` let it be said, and counted."""
    if said.kind == "calls":
        return bounded(_limited_calls(said, limits.tokens), limits)
    text = said.text
    if limits.tokens is not None:
        text = _first(text, said.pieces, limits.tokens)
        if len(text) < len(said.text):
            said = said._replace(text=text, finish="length")
    if said.kind == "content":
        cuts = [at for stop in limits.stop if stop and (at := said.text.find(stop)) >= 0]
        if cuts:
            said = said._replace(text=said.text[: min(cuts)], finish="stop")
    return bounded(said._replace(tokens=_count(said.text, said.pieces)), limits)


def _limited_calls(said: Said, most: int | None) -> Said:
    """``said`` with the calls, or the beginning of them, that ``most`` tokens are enough for."""
    calls: list[Call] = []
    tokens = 0
    for call in said.calls:
        text = call.text if most is None else _first(call.text, said.pieces, most - tokens)
        calls.append(call._replace(text=text))
        tokens += _count(text, said.pieces)
        if len(text) < len(call.text) or (tokens == most and len(calls) < len(said.calls)):
            return said._replace(calls=tuple(calls), tokens=tokens, finish="length")
    return said._replace(calls=tuple(calls), tokens=tokens)


def _first(text: str, pieces: re.Pattern[str], most: int) -> str:
    """As much of ``text`` as ``most`` of its pieces are."""
    ends = [piece.end() for piece in islice(pieces.finditer(text), min(most, len(text)))]
    return text[: ends[-1] if ends else 0]


def _count(text: str, pieces: re.Pattern[str]) -> int:
    return sum(1 for _ in pieces.finditer(text))


def bounded(said: Said, limits: Limits) -> Said:
    """``said``; Refused where all choices together would be too much."""
    length = sum(len(call.text) for call in said.calls) if said.calls else len(said.text)
    likely = 0 if limits.logprobs is None else 1 + limits.logprobs  # to write one costs as much as two tokens
    if (
        limits.choices * (1 + 2 * likely) * said.tokens > MOST
        or limits.choices * (1 + likely) * length > _MOST_CHARACTERS
    ):
        raise Refused(
            400,
            f"Invalid value for 'n': the mock says at most {MOST} tokens and {_MOST_CHARACTERS} "
            f"characters to a request, and this asks for {limits.choices} choices of {said.tokens} tokens "
            f"and {length} characters with {likely} likely tokens for each.",
            field="n",
            code="invalid_value",
        )
    return said
