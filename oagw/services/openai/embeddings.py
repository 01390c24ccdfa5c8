"""Embeddings: unit vectors that are a function of the text and the model."""

from array import array
from base64 import b64encode
from collections.abc import Iterator
from hashlib import shake_128
from math import hypot
from sys import byteorder
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.services import Env
from oagw.services.openai import pace
from oagw.services.openai.completion import ModelName
from oagw.services.openai.directives import TIMES, Directives
from oagw.services.openai.models import require
from oagw.services.openai.node import OpenAINode, answer_headers, read
from oagw.services.openai.request_directives import extract_directives
from oagw.services.openai.tokens import count
from oagw.web.reply import JSON, UPSTREAM, Reply, prepared
from oagw.web.stream import Chunk, Stream

# The dimensions of the vectors by model, and the default.
_DIMENSIONS = {"text-embedding-3-large": 3072}
_USUAL = 1536

# A response to more inputs than these is sent in chunks, so that it does not block other requests.
_AT_ONCE = 16

_MOST_INPUTS = 2048

Tokens = list[int]


class EmbeddingRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an embeddings request."""

    model: ModelName
    input: str | list[str | int | Tokens]
    dimensions: Annotated[int, Meta(ge=1, le=3072)] | None = None
    encoding_format: Literal["float", "base64"] = "float"
    user: str | None = None


_JSON = prepared({b"Content-Type": (JSON,)})

_embedding_request = msgspec.json.Decoder(EmbeddingRequest)


class Embeddings(OpenAINode):
    """POST /v1/embeddings {"model": str, "input": str or tokens or a list of such} → 200 a list of vectors.

    The vectors have length 1 and ``dimensions`` elements. With ``encoding_format`` ``base64``, they are
    encoded as little-endian float32.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply | Stream:
        body = read(request, _embedding_request)
        require(body.model, self._env)
        dimensions = _dimensions(body)
        inputs = _inputs(body.input)
        last = inputs[-1]
        if isinstance(last, str):
            inputs[-1], directives = extract_directives(last, None, "input", TIMES)
        else:
            directives = Directives()
        if directives.timed() and len(inputs) > _AT_ONCE:
            message = f"Invalid mock directive: delays and ends are limited to {_AT_ONCE} inputs"
            raise Refused(400, message, field="input", code="invalid_directive")
        tokens = sum(count(each) if isinstance(each, str) else len(each) for each in inputs)
        answer = {
            "object": "list",
            "model": body.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        data = _embeddings(inputs, body.model, dimensions, body.encoding_format == "base64")
        if len(inputs) <= _AT_ONCE:
            return pace.buffered(self._env, answer | {"data": list(data)}, directives, 1, tokens)
        headers = _JSON + answer_headers(tokens)
        return self._env.streams.play(_chunks(answer, data), Reply(200, headers=headers, source=UPSTREAM))


def vector(text: str | Tokens, model: str, dimensions: int) -> "array[float]":
    """Return a vector of length 1 for ``text``, with this number of ``dimensions``."""
    seed = msgspec.json.encode([model, text])
    raw = array("i", shake_128(seed).digest(4 * dimensions))
    if byteorder == "big":
        raw.byteswap()
    length = hypot(*raw) or 1.0
    return array("f", [value / length for value in raw])


def _embeddings(inputs: list[str | Tokens], model: str, dimensions: int, packed: bool) -> Iterator[Any]:
    for index, text in enumerate(inputs):
        values = vector(text, model, dimensions)
        if packed and byteorder == "big":
            values.byteswap()
        embedding = b64encode(values.tobytes()).decode() if packed else values.tolist()
        yield {"object": "embedding", "index": index, "embedding": embedding}


def _chunks(answer: dict[str, Any], data: Iterator[Any]) -> Iterator[Chunk]:
    before = msgspec.json.encode(answer)[:-1] + b',"data":['
    for embedding in data:
        yield Chunk(0, before + msgspec.json.encode(embedding), 0)
        before = b","
    yield Chunk(0, b"]}", 0)


def _dimensions(body: EmbeddingRequest) -> int:
    own = _DIMENSIONS.get(body.model, _USUAL)
    if body.dimensions is None:
        return own
    if body.model == "text-embedding-ada-002":
        message = "This model does not support specifying dimensions."
        raise Refused(400, message, field="dimensions", code="invalid_value")
    if body.model.startswith("text-embedding-3-") and body.dimensions > own:
        message = f"Invalid value for 'dimensions': must be less than or equal to {own}."
        raise Refused(400, message, field="dimensions", code="invalid_value")
    return body.dimensions


def _inputs(given: str | list[str | int | Tokens]) -> list[str | Tokens]:
    """Return the inputs as a list; raise Refused if it is empty, too long or of mixed types."""
    if isinstance(given, str):
        given = [given]
    if not given or (len(given) > _MOST_INPUTS and not isinstance(given[0], int)):
        message = f"Invalid 'input': expected 1 to {_MOST_INPUTS} inputs, got {len(given)}"
        code = "array_above_max_length" if given else "empty_array"
        raise Refused(400, message, field="input", code=code)
    numbers = [each for each in given if isinstance(each, int)]
    if numbers and len(numbers) == len(given):
        return [numbers]
    texts = [each for each in given if not isinstance(each, int) and len(each) > 0]
    if len(texts) < len(given):
        message = "Invalid 'input': expected non-empty strings or arrays of tokens"
        raise Refused(400, message, field="input", code="invalid_value")
    return texts
