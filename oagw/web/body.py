"""Parse and validate request bodies and queries. Invalid ones raise Refused, with the name of the field.

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
from oagw.model.reading import ParseLimitExceeded, decode, read_pairs
from oagw.model.refused import Refused
from oagw.web.reply import excerpt

T = TypeVar("T")


def read_json(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """Return the body of ``request``, decoded to the type of ``decoder``.

    A body without Content-Type is assumed to be JSON. Raises Refused: 415 for another media type, or an
    unknown content coding or charset; 413 if the body is too large; 400 if it is not JSON of that type.
    Then the message ends with the location (``- at $.a``), which is also in ``field`` (``a``).
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
    except ParseLimitExceeded as error:
        raise Refused(413, f"The JSON {error}") from None
    except msgspec.ValidationError as error:
        from oagw.model.mismatch import mismatch  # imported late: most requests are valid

        wrong = mismatch(error)
        field = ".".join(filter(None, (wrong.path, wrong.missing))) or None
        raise Refused(400, str(error).replace("`", ""), field=field) from error
    except ValueError as error:  # DecodeError, and UnicodeDecodeError for bad UTF-8 in a string
        raise Refused(400, f"Invalid JSON: {str(error).replace('`', '')}") from None


def read_body(request: Request) -> bytes:
    """Return the body of ``request``, decoded from its content codings and converted to UTF-8.

    Raises Refused: 413 if it decodes to more than ``coding.size_limit``, 400 if it is not valid in its coding
    or charset, 415 if the coding or charset is unknown.
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
    """Return the error for a body that is corrupt, or decodes to too many bytes, in the coding ``name``."""
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
    """Return the first non-empty value of the query parameter ``name``; raises Refused (400) without one.

    The query is parsed as application/x-www-form-urlencoded (URL standard, section 5.1): ``+`` is a space.
    """
    for key, value in query_pairs(request):
        if key == name and value:
            return value
    raise Refused(400, f"Missing query parameter: {name}", field=name)


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of the query in order, as pairs of name and value."""
    _, _, text = request.uri.partition(b"?")
    return read_pairs(text.decode("utf-8", "replace"))
