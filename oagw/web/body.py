"""Request bodies and queries as checked values: whatever does not fit is Refused, naming the field."""

import re
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from twisted.web.server import Request

from oagw.web.reply import excerpt
from oagw.web.resource import Refused

T = TypeVar("T")

_AT = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"required field `(.*?)`")


def read_json(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of ``request`` as the decoder's type.

    A body without Content-Type is taken as JSON. Raises Refused: 415 for another media type, 400 for
    what is not JSON or does not fit; the message ends with where (``- at $.a``), ``field`` is that
    place (``a``).
    """
    media_type = request.getHeader(b"content-type")
    if media_type is not None:
        essence = media_type.partition(b";")[0].strip().lower()
        if essence != b"application/json" and not essence.endswith(b"+json"):
            raise Refused(415, f"Expected Content-Type application/json, got {excerpt(media_type)}")
    assert request.content is not None
    body = request.content.read()
    if not body:
        raise Refused(400, "Expected a JSON body, got none")
    try:
        return decoder.decode(body)
    except RecursionError:
        raise Refused(400, "Invalid JSON: nested too deeply") from None
    except msgspec.ValidationError as error:
        text = str(error)
        raise Refused(400, text.replace("`", ""), field=_field(text)) from None
    except ValueError as error:  # DecodeError, and UnicodeDecodeError for bad UTF-8 in a string
        raise Refused(400, f"Invalid JSON: {str(error).replace('`', '')}") from None


def query(request: Request, name: str) -> str:
    """The first value of the query parameter ``name`` that is not empty; Refused with 400 without one.

    Read as the URL standard's application/x-www-form-urlencoded (section 5.1): ``+`` is a space.
    """
    for key, value in query_pairs(request):
        if key == name and value:
            return value
    raise Refused(400, f"Missing query parameter: {name}", field=name)


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """All parameters of the query, in their order, with their values or empty ones."""
    _, _, text = request.uri.partition(b"?")
    return parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True)


def _field(message: str) -> str | None:
    at, missing = _AT.search(message), _MISSING.search(message)
    parts = [match[1] for match in (at, missing) if match]
    return ".".join(parts) or None
