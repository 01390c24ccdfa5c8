"""The syntax of request heads: rejects what RFC 9110 and RFC 9112 forbid. ``web.chunks`` has chunked bodies.

``web.channel`` collects a head up to its blank line and calls ``parse_head``; as long as the blank line is
missing, it calls ``check_lines``. If these raise an error, the connection is closed, because the end of
the request is unknown. The ``problem`` of a well-formed head is sent like others.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from twisted.internet.abstract import isIPv6Address
from twisted.web.http_headers import InvalidHeaderName, _nameEncoder

from oagw.model.call import is_proxied
from oagw.model.problem import Problem, invalid_field, platform

# The values of each field, by its name in Twisted's spelling.
Fields = dict[bytes, list[bytes]]

# The limits of a head: the bytes of a line, the bytes of all lines without CRLF, the number of header lines.
MAX_LINE = 16384
MAX_SIZE = 16384
MAX_FIELDS = 500

_TRANSFER_CODING = b"Transfer-Encoding"

# The platform's limit on request bodies, in bytes.
MAX_BODY = 64_000_000

# The number of header sections to cache, and the largest size of one, in bytes. Most clients send the same
# header lines with most of their requests.
_REMEMBERED = 256
_MAX_REMEMBERED = 2048

# The longest name or address that is accepted in Host (RFC 1035 allows names of 253 characters).
_MAX_HOST = 300

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"

# RFC 9112 section 3. Bytes from 0x80 to 0xB0 are not allowed there either, but do no harm.
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~\x80-\xb0]+) (HTTP/1\.[01])")

# Control characters. A field value may contain none of them but HTAB (RFC 9110 section 5.5).
_CONTROLS = bytes({*range(32), 127} - {9})

# RFC 3986 section 3.2: host [":" port], without userinfo.
_HOST = re.compile(
    rb"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
    rb"|\[(?:([0-9A-Fa-f:.]+)|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\])"
    rb"(?::([0-9]{0,5}))?"
)
_MAX_PORT = 65535

# RFC 9110 section 10.1.4: a list of transfer codings, each with parameters and a weight, or "trailers".
_WEIGHT = rb"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_PARAMETER = rb"(?![qQ][ \t]*=)" + _TOKEN + rb"[ \t]*=[ \t]*(?:" + _TOKEN + rb"|" + _QUOTED + rb")"
_CODING = _TOKEN + rb"(?:[ \t]*;[ \t]*" + _PARAMETER + rb")*(?:[ \t]*;[ \t]*[qQ]=" + _WEIGHT + rb"(?![\w.]))?"
_TE = rb"[ \t]*(?:%b[ \t]*)?(?:,[ \t]*(?:%b[ \t]*)?)*" % (_CODING, _CODING)  # compiled on first use


class BadRequest(Exception):
    """The received data is not a valid request. It is refused with ``status``, and the connection is closed.

    If a line of the head is invalid, ``before`` is the part of the head before it.
    """

    before: bytes | None = None

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


class Section(NamedTuple):
    """The fields of a header section, and the properties that they determine.

    Requests with the same header lines share it, so the ``fields`` must not be changed.

    - ``length``: the length of the body, None if it is chunked
    - ``persistent``: whether the connection stays open after the response
    - ``problem``: the error in the values of the fields, if there is one
    - ``contradictory``: whether the body is chunked, but the fields have a length or another coding as well
    """

    fields: Fields
    length: int | None = 0
    persistent: bool = False
    problem: Problem | None = None
    contradictory: bool = False


class Head(NamedTuple):
    """A request head. ``lines`` has the raw header lines, ``fields`` the fields in them."""

    method: bytes
    target: bytes
    version: bytes
    lines: bytes
    fields: Fields
    section: Section


def parse_head(head: bytes) -> Head:
    """Parse a complete ``head``, without its blank line. Raises BadRequest."""
    request_line, _, lines = head.partition(b"\r\n")
    try:
        if len(head) > MAX_SIZE and len(head) - 2 * head.count(b"\r\n") > MAX_SIZE:
            raise BadRequest(431, "Header section too large")
        method, target, version = parse_request_line(request_line)
        read = _read_section if len(lines) > _MAX_REMEMBERED else _remembered_section
        section = read(version, lines)
        if section.contradictory and not is_proxied(target):  # otherwise, the pipeline refuses it
            if b"Content-Length" in section.fields:
                raise BadRequest(400, "Both Content-Length and Transfer-Encoding")
            raise BadRequest(501, "Transfer-Encoding other than chunked")
    except BadRequest:
        # Report the first error, as if the head had arrived byte by byte.
        check_lines(head + b"\r\n")
        raise
    return Head(method, target, version, lines, section.fields, section)


def _read_section(version: bytes, lines: bytes) -> Section:
    """Parse the header ``lines`` of a request with this HTTP version. Raises BadRequest."""
    each = lines.split(b"\r\n") if lines else []
    if len(each) > MAX_FIELDS:
        raise BadRequest(431, "Header section too large")
    check_characters(lines, len(each))
    fields: Fields = {}
    read_fields(each, fields)
    length = body_length(version, fields, MAX_BODY)
    problem = check_fields(version, fields)
    return Section(fields, length, stays_open(version, fields), problem, _contradictory(fields))


_remembered_section = lru_cache(_REMEMBERED)(_read_section)


def check_lines(head: bytes, start: int = 0) -> int:
    """Check the beginning of an incomplete ``head``, from the line at ``start`` on.

    Return the start of the last line, which is incomplete. Raises BadRequest if a line is too long, if there
    are too many, or if the request line is malformed. Header lines are parsed once the head is complete.
    """
    count = head.count(b"\r\n", 0, start)
    while True:
        end = head.find(b"\r\n", start)
        try:
            _check_line(head, count, start, end)
        except BadRequest as bad:
            bad.before = head[:start]
            raise
        if end < 0:
            return start
        start, count = end + 2, count + 1


def _check_line(head: bytes, number: int, start: int, end: int) -> None:
    """Check the line of ``head`` from ``start`` to ``end``, which is -1 if the line is incomplete.

    ``number`` is the number of the line; the request line is line 0.
    """
    complete = end >= 0
    line = head[start : end if complete else len(head)]
    if has_bare_line_end(line + b"\r" if complete else line, MAX_LINE + 2):
        raise BadRequest(400, "Line that does not end with CRLF")
    if len(line) > (MAX_LINE if complete else MAX_LINE + 1):
        if number:
            raise BadRequest(431, f"Header line longer than {MAX_LINE} bytes")
        raise BadRequest(414, f"Request line longer than {MAX_LINE} bytes")
    if not complete:
        return
    if end - 2 * number > MAX_SIZE:
        raise BadRequest(431, f"Header section larger than {MAX_SIZE} bytes")
    if number == 0:
        parse_request_line(line)
        return
    if number > MAX_FIELDS:
        raise BadRequest(431, f"More than {MAX_FIELDS} header lines")
    check_characters(line, 1)


def parse_beginning(head: bytes) -> Head:
    """Parse the complete lines of a malformed or incomplete ``head``, as far as possible."""
    request_line, *lines = head.split(b"\r\n")[:-1] or [b""]
    method = target = version = b""
    fields: Fields = {}
    with suppress(BadRequest):
        method, target, version = parse_request_line(request_line)
        read_fields(lines, fields)
    return Head(method, target, version, b"\r\n".join(lines), fields, Section(fields))


def parse_request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the method, target and version of a request ``line``; raises BadRequest."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise BadRequest(400, "Malformed request line")
    return match.groups()  # type: ignore[return-value]


def read_fields(lines: Iterable[bytes], fields: Fields) -> None:
    """Add the fields in header or trailer ``lines`` to ``fields``; raises BadRequest for a malformed line.

    Continuation lines (RFC 9112 section 5.2) and white space before the colon are malformed.
    """
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadRequest(400, "Malformed header line: no colon, or the continuation of another line")
        try:
            name = _nameEncoder.encode(name)
        except InvalidHeaderName:
            raise BadRequest(400, "Malformed header name") from None
        value = value.strip(b" \t")
        if name in fields:
            fields[name].append(value)
        else:
            fields[name] = [value]


def check_characters(head: bytes, lines: int) -> None:
    """Raise BadRequest if ``head``, lines joined by CRLF, contains any other control character."""
    if len(head.translate(None, _CONTROLS)) != len(head) - 2 * max(lines - 1, 0):
        raise BadRequest(400, "Control character in a header line")


def has_bare_line_end(rest: bytes | bytearray, limit: int | None = None) -> bool:
    """Return whether ``rest``, an incomplete line, contains a CR or an LF that is not part of a CRLF.

    Only the first ``limit`` bytes are checked.
    """
    end = len(rest) if limit is None else min(limit, len(rest))
    return rest.find(b"\n", 0, end) >= 0 or rest.find(b"\r", 0, end - 1) >= 0


def body_length(version: bytes, fields: Fields, limit: int) -> int | None:
    """Return the length of the body for these ``fields``; None if it is chunked (RFC 9112 section 6.3).

    Raises BadRequest: 413 for more than ``limit`` bytes. As in the real gateway, a Content-Length after a
    Transfer-Encoding is deleted from ``fields``.
    """
    lengths = fields.get(b"Content-Length")
    codings = fields.get(_TRANSFER_CODING)
    if codings is not None:
        if [name for name in fields if name in (b"Content-Length", _TRANSFER_CODING)][1:] == [
            b"Content-Length"
        ]:
            del fields[b"Content-Length"]
        _check_codings(version, codings)
        return None
    if lengths is None:
        return 0
    if len(set(lengths)) > 1:
        raise BadRequest(400, "Different values of Content-Length")
    del lengths[1:]
    if not lengths[0].isdigit():
        raise BadRequest(400, "Malformed Content-Length")
    try:
        length = int(lengths[0])
    except ValueError:  # more digits than Python can parse
        length = limit + 1
    if length > limit:
        raise BadRequest(413, f"Body larger than {limit} bytes")
    return length


def _check_codings(version: bytes, values: list[bytes]) -> None:
    if version != b"HTTP/1.1":
        raise BadRequest(400, "Transfer-Encoding in an HTTP/1.0 request")
    codings = [coding.strip(b" \t").lower() for coding in b",".join(values).split(b",")]
    if codings.count(b"chunked") != 1 or codings[-1] != b"chunked":
        raise BadRequest(400, "Transfer-Encoding does not end with chunked")


def _contradictory(fields: Fields) -> bool:
    codings = fields.get(_TRANSFER_CODING)
    if codings is None:
        return False
    return b"Content-Length" in fields or [coding.strip(b" \t").lower() for coding in codings] != [b"chunked"]


def stays_open(version: bytes, fields: Fields) -> bool:
    """Return whether the connection stays open after the response to a request with these ``fields``."""
    options = b",".join(fields.get(b"Connection", ())).lower().split(b",")
    return version == b"HTTP/1.1" and b"close" not in [option.strip() for option in options]


def check_fields(version: bytes, fields: Fields) -> Problem | None:
    """Return the error in the values of well-formed header ``fields``, if there is one."""
    hosts = fields.get(b"Host")
    if hosts is None:
        if version == b"HTTP/1.1":
            return invalid_field("host", "REQUIRED", "Missing Host")
    elif len(hosts) > 1:  # RFC 9112 section 3.2
        return invalid_field("host", "DUPLICATE_HEADER", "More than one Host")
    elif not is_host(hosts[0]):
        return invalid_field("host", "INVALID_HOST", "Malformed Host: expected HOST or HOST:PORT")
    if len(fields.get(b"Authorization", ())) > 1:
        return invalid_field("authorization", "DUPLICATE_HEADER", "More than one Authorization")
    if b"TE" in fields and not re.fullmatch(_TE, b",".join(fields[b"TE"])):
        return invalid_field("te", "INVALID_TE", "Malformed TE: expected transfer codings or trailers")
    if expectations(version, fields) - {b"100-continue"}:  # RFC 9110 section 10.1.1
        return platform(417, "Unknown expectation: only 100-continue is supported")
    return None


def expectations(version: bytes, fields: Fields) -> set[bytes]:
    """Return the expectations of the client, in lower case; none for HTTP/1.0."""
    if b"Expect" not in fields or version != b"HTTP/1.1":
        return set()
    return {value.strip(b" \t").lower() for value in b",".join(fields[b"Expect"]).split(b",")} - {b""}


@lru_cache(64)
def is_host(value: bytes) -> bool:
    """Return whether ``value`` is valid for Host: empty, or a host with or without a port (RFC 9110 7.2)."""
    if not value:
        return True
    match = _HOST.fullmatch(value)
    if match is None or len(value) > _MAX_HOST or int(match[2] or 0) > _MAX_PORT:
        return False
    return match[1] is None or isIPv6Address(match[1].decode("ascii"))
