"""What the model says: decided by the last user message, the limits of the request and its steering.

``hello`` in the message (in any case) is greeted; ``error`` is refused with 429; anything else is quoted.
Where the request wants JSON, that text or a value of the schema comes as JSON. ``steering`` overrides it.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from oagw.services.openai.shape import failure
from oagw.services.openai.steering import Steering
from oagw.services.openai.tokens import FRAGMENTS, WORDS
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


class Part(msgspec.Struct):
    """A part of a message's content; only parts with a text are read."""

    type: str
    text: str | None = None


class StreamOptions(msgspec.Struct):
    """``include_usage`` asks for a last chunk with the usage."""

    include_usage: bool | None = None


class JsonSchema(msgspec.Struct):
    """A named schema that the content is to be valid against."""

    name: str
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class Said(NamedTuple):
    """What one choice says: a text, a refusal, or the arguments of a call to the tool ``name``.

    ``pieces`` is how it is cut into tokens, ``tokens`` how many there are.
    """

    text: str
    kind: Literal["content", "refusal", "call"]
    finish: Literal["stop", "length", "tool_calls"]
    pieces: re.Pattern[str]
    tokens: int
    name: str = ""

    def spoken(self) -> Iterator[str]:
        """The pieces of the text, one at a time."""
        # A list would stay as long as a stream, and so would what finditer remembers: a kilobyte.
        match, text, at = self.pieces.match, self.text, 0
        while piece := match(text, at):
            yield piece[0]
            at = piece.end()
            del piece


class Limits(NamedTuple):
    """The limits of a request: tokens, texts to stop at, choices, and likelier tokens beside each."""

    tokens: int | None = None
    stop: Sequence[str] = ()
    choices: int = 1
    logprobs: int = 0


def stops(stop: str | list[str] | None) -> list[str]:
    """The texts to stop at, of which a request may give one, several or none."""
    return [stop] if isinstance(stop, str) else stop or []


def wants_usage(options: StreamOptions | None, stream: bool | None) -> bool:
    """Whether a stream is to end with the usage; Refused where there are options and no stream."""
    if options is not None and not stream:
        message = "Invalid 'stream_options': it is only allowed when 'stream' is true"
        raise Refused(400, message, field="stream_options", code="invalid_value")
    return bool(options and options.include_usage)


def text_of(content: str | list[Part] | None) -> str:
    """The content of a message as text, its parts joined."""
    if isinstance(content, list):
        return "".join(part.text or "" for part in content)
    return content or ""


def say(
    asked: str,
    steering: Steering,
    limits: Limits,
    *,
    call: Call | None = None,
    form: JsonSchema | bool = False,
    place: str = "",
) -> Said:
    """What the model answers to ``asked``; raises Refused for a message that asks for an error.

    ``form`` is whether the answer is to be JSON, or the schema of it, which is at ``place`` in the body.
    """
    plain = asked.lower()
    steered = (steering.reply, steering.refusal, steering.tool)
    if "error" in plain and "hello" not in plain and steered == (None, None, None):
        raise failure(429)
    kind: Literal["content", "refusal", "call"] = "content"
    finish: Literal["stop", "tool_calls"] = "stop"
    pieces, name = WORDS, ""
    if steering.refusal is not None:
        text, kind = steering.refusal, "refusal"
    elif call is not None:
        text, kind, finish, pieces, name = call.arguments, "call", "tool_calls", FRAGMENTS, call.name
    else:
        text = steering.reply if steering.reply is not None else _answer(asked)
        if form is not False:
            pieces = FRAGMENTS
            if steering.reply is None:
                text = _json(text, form, place)
    if steering.tokens is not None and kind != "call":
        text = _lengthened(text, steering.tokens, pieces)
    return _limited(Said(text, kind, finish, pieces, 0, name), limits)


def _answer(asked: str) -> str:
    if "hello" in asked.lower():
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
    ends = (piece.end() for piece in said.pieces.finditer(said.text))
    if limits.tokens is not None:
        kept = list(islice(ends, min(limits.tokens, MOST) + 1))
        if len(kept) > limits.tokens:
            text = said.text[: kept[limits.tokens - 1] if limits.tokens else 0]
            said = said._replace(text=text, finish="length")
    if said.kind == "content":
        cuts = [at for stop in limits.stop if stop and (at := said.text.find(stop)) >= 0]
        if cuts:
            said = said._replace(text=said.text[: min(cuts)], finish="stop")
    return bounded(said._replace(tokens=sum(1 for _ in said.pieces.finditer(said.text))), limits)


def bounded(said: Said, limits: Limits) -> Said:
    """``said``; Refused where all choices together would be too much."""
    if (
        limits.choices * (1 + limits.logprobs) * said.tokens > MOST
        or limits.choices * len(said.text) > _MOST_CHARACTERS
    ):
        raise Refused(
            400,
            f"Invalid value for 'n': the mock says at most {MOST} tokens and {_MOST_CHARACTERS} "
            f"characters to a request, and this asks for {limits.choices} choices of {said.tokens} tokens "
            f"and {len(said.text)} characters with {limits.logprobs} likely tokens beside each.",
            field="n",
            code="invalid_value",
        )
    return said
