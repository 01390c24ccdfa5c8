"""Request bodies and queries as checked values: whatever does not fit is Refused, naming the field.

Bodies are decoded here, and in ``model.call`` for stubs and the journal: the content codings first, then the
charset of ``Content-Type``.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from twisted.web.server import Request

from oagw.model.coding import (
    ACCEPTED,
    UTF_8,
    Fault,
    charset_in,
    codec_of,
    codings,
    decoded,
    size_limit,
    strict_text_of,
)
from oagw.model.reading import Unread, decode, read_pairs
from oagw.model.refused import Refused
from oagw.web.reply import excerpt

T = TypeVar("T")


def read_json(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of ``request`` as the decoder's type.

    A body without Content-Type is taken as JSON. Raises Refused: 415 for another media type, a content coding
    or a charset that is not known; 413 for what is too large; 400 for what is not JSON or does not fit: the
    message ends with where (``- at $.a``), ``field`` is that place (``a``).
    """
    media_type = request.getHeader(b"content-type")
    if media_type is not None:
        essence = media_type.partition(b";")[0].strip().lower()
        if essence != b"application/json" and not essence.endswith(b"+json"):
            raise Refused(415, f"Expected Content-Type application/json, got {excerpt(media_type)}")
    body = read_body(request)
    if not body:
        raise Refused(400, "Expected a JSON body, got none")
    try:
        return decode(decoder, body)
    except RecursionError:
        raise Refused(400, "Invalid JSON: nested too deeply") from None
    except Unread as error:
        raise Refused(413, f"The JSON {error}") from None
    except msgspec.ValidationError as error:
        from oagw.model.mismatch import mismatch  # imported late: most requests are valid

        said = mismatch(error)
        field = ".".join(filter(None, (said.path, said.missing))) or None
        raise Refused(400, str(error).replace("`", ""), field=field) from error
    except ValueError as error:  # DecodeError, and UnicodeDecodeError for bad UTF-8 in a string
        raise Refused(400, f"Invalid JSON: {str(error).replace('`', '')}") from None


def read_body(request: Request) -> bytes:
    """The body of ``request``, without its content codings and in UTF-8.

    Raises Refused: 413 for a body that decodes to more than ``coding.size_limit`` says, 400 for one that is
    not what its coding or charset says, 415 for a coding or a charset that is not known.
    """
    assert request.content is not None
    body: bytes = request.content.read()
    if not body:
        return body
    content_type = request.getHeader(b"content-type") or b""
    charset = charset_in(content_type.decode("latin-1")) if b";" in content_type else None
    if request.getHeader(b"content-encoding") is not None:
        coded = request.requestHeaders.getRawHeaders(b"content-encoding", ())
        body = _decoded(body, coded, size_limit(len(body), (charset and codec_of(charset)) or UTF_8))
    return _in_utf_8(body, charset)


def _decoded(body: bytes, coded: Sequence[bytes], limit: int) -> bytes:
    body, fault = decoded(body, codings([value.decode("latin-1") for value in coded]), limit)
    if fault is None:
        return body
    name = excerpt(b", ".join(coded))
    if fault is Fault.UNKNOWN:
        accept = {b"Accept-Encoding": (ACCEPTED,)}  # RFC 9110 section 15.5.16
        raise Refused(415, f"Unknown Content-Encoding: {name}", headers=accept)
    raise refused_coding(fault, name, limit)


def refused_coding(fault: Fault, name: str, limit: int) -> Refused:
    """How a body with the content coding ``name`` is refused that is corrupt, or too large."""
    if fault is Fault.CORRUPT:
        return Refused(400, f"The body is not valid {name}")
    return Refused(413, f"The body decodes to more than {limit} bytes")


def _in_utf_8(body: bytes, charset: str | None) -> bytes:
    if not charset:
        return body
    codec = codec_of(charset)
    if codec is None:
        raise Refused(415, f"Unknown charset: {charset[:100]}")
    if codec == UTF_8:
        return body
    try:
        return strict_text_of(body, codec).encode()
    except UnicodeDecodeError:
        raise Refused(400, f"The body is not valid {charset}") from None


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
    return read_pairs(text.decode("utf-8", "replace"))
