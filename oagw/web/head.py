"""The syntax of request heads: rejects what RFC 9110 and RFC 9112 forbid. ``web.chunks`` has chunked bodies.

``web.channel`` collects a head up to its blank line and calls ``parse_head``; as long as the blank line is
missing, it calls ``check_lines``. What these reject ends the connection, because the end of the request is
not known. A ``problem`` of a well-formed head is answered like any other.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from twisted.internet.abstract import isIPv6Address
from twisted.web.http_headers import InvalidHeaderName, _nameEncoder

from oagw.model.problem import Problem, invalid_field, platform

# The values of each field, by its name as Twisted spells it.
Fields = dict[bytes, list[bytes]]

# The limits of a head: bytes of a line, bytes of all lines without their CRLF, number of header lines.
MAX_LINE = 16384
MAX_SIZE = 16384
MAX_FIELDS = 500

# The platform's limit on request bodies, in bytes.
MAX_BODY = 64_000_000

# How many header sections are remembered, and how long one may be, in bytes. A client sends the same header
# lines with most of its requests.
_REMEMBERED = 256
_MAX_REMEMBERED = 2048

# The longest name or address that is accepted in Host (RFC 1035 allows names of 253 characters).
_MAX_HOST = 300

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"

# RFC 9112 section 3. Bytes from 0x80 to 0xB0 do not belong there either, but do no harm.
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~\x80-\xb0]+) (HTTP/1\.[01])")

# Control characters, of which a field value may contain HTAB alone (RFC 9110 section 5.5).
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
_TE = rb"[ \t]*(?:%b[ \t]*)?(?:,[ \t]*(?:%b[ \t]*)?)*" % (_CODING, _CODING)  # compiled when it is needed


class BadRequest(Exception):
    """What cannot be read as a request: refused with ``status``, and the connection ends.

    ``before`` is what precedes the faulty line, if the fault is in a line of the head.
    """

    before: bytes | None = None

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


class Section(NamedTuple):
    """The fields of a header section, and what follows from them.

    Requests with the same header lines share one, so the ``fields`` must not be changed.

    - ``length``: the length of the body, None if it is chunked
    - ``persistent``: whether the connection stays open after the response
    - ``problem``: what is wrong with the values of the fields, if anything
    """

    fields: Fields
    length: int | None = 0
    persistent: bool = False
    problem: Problem | None = None


class Head(NamedTuple):
    """A request head. ``lines`` are the header lines as they were sent, ``fields`` what is in them."""

    method: bytes
    target: bytes
    version: bytes
    lines: bytes
    fields: Fields
    section: Section


def parse_head(head: bytes) -> Head:
    """Parse a ``head`` that is complete, without its blank line. Raises BadRequest."""
    request_line, _, lines = head.partition(b"\r\n")
    try:
        if len(head) > MAX_SIZE and len(head) - 2 * head.count(b"\r\n") > MAX_SIZE:
            raise BadRequest(431, "Header section too large")
        method, target, version = parse_request_line(request_line)
        read = _read_section if len(lines) > _MAX_REMEMBERED else _remembered_section
        section = read(version, lines)
    except BadRequest:
        # The first fault counts, as if the head had arrived byte by byte.
        check_lines(head + b"\r\n")
        raise
    return Head(method, target, version, lines, section.fields, section)


def _read_section(version: bytes, lines: bytes) -> Section:
    """Read the header ``lines`` of a request with this HTTP version. Raises BadRequest."""
    each = lines.split(b"\r\n") if lines else []
    if len(each) > MAX_FIELDS:
        raise BadRequest(431, "Header section too large")
    check_characters(lines, len(each))
    fields: Fields = {}
    read_fields(each, fields)
    length = body_length(version, fields, MAX_BODY)
    return Section(fields, length, stays_open(version, fields), check_fields(version, fields))


_remembered_section = lru_cache(_REMEMBERED)(_read_section)


def check_lines(head: bytes, start: int = 0) -> int:
    """Check the beginning of a ``head``, from the line at ``start``.

    Returns where the last line starts, which is not complete. Raises BadRequest for a line that is too long,
    one too many, or malformed; whether a header line is malformed is only known when the head is complete.
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
    """Check the line of ``head`` from ``start`` to ``end``, which is -1 if the line is not complete.

    The request line has the ``number`` 0.
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
    """Parse the complete lines of a ``head``, malformed or not complete, as far as possible."""
    request_line, *lines = head.split(b"\r\n")[:-1] or [b""]
    method = target = version = b""
    fields: Fields = {}
    with suppress(BadRequest):
        method, target, version = parse_request_line(request_line)
        read_fields(lines, fields)
    return Head(method, target, version, b"\r\n".join(lines), fields, Section(fields))


def parse_request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Method, target and version of a request ``line``; raises BadRequest."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise BadRequest(400, "Malformed request line")
    return match.groups()  # type: ignore[return-value]


def read_fields(lines: Iterable[bytes], fields: Fields) -> None:
    """Add the header or trailer ``lines`` to ``fields``; raises BadRequest at the first that is malformed.

    A line that continues the one before (RFC 9112 section 5.2) is malformed, and so is white space before
    the colon.
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
    """Raise BadRequest if ``head``, of so many lines joined by CRLF, contains any other control character."""
    if len(head.translate(None, _CONTROLS)) != len(head) - 2 * max(lines - 1, 0):
        raise BadRequest(400, "Control character in a header line")


def has_bare_line_end(rest: bytes | bytearray, limit: int | None = None) -> bool:
    """Whether ``rest``, the start of a line without a CRLF, has a CR or an LF that is not part of one.

    Looks at the first ``limit`` bytes.
    """
    end = len(rest) if limit is None else min(limit, len(rest))
    return rest.find(b"\n", 0, end) >= 0 or rest.find(b"\r", 0, end - 1) >= 0


def body_length(version: bytes, fields: Fields, limit: int) -> int | None:
    """The length of the body after a head with ``fields``; None if it is chunked (RFC 9112 section 6.3).

    Raises BadRequest: 413 for more than ``limit`` bytes, 501 for a transfer coding other than chunked.
    """
    lengths = fields.get(b"Content-Length")
    codings = fields.get(b"Transfer-Encoding")
    if codings is not None:
        if lengths is not None:
            raise BadRequest(400, "Both Content-Length and Transfer-Encoding")
        _check_codings(version, codings)
        return None
    if lengths is None:
        return 0
    if len(lengths) > 1:
        raise BadRequest(400, "More than one Content-Length")
    if not lengths[0].isdigit():
        raise BadRequest(400, "Malformed Content-Length")
    try:
        length = int(lengths[0])
    except ValueError:  # more digits than Python reads
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
    if len(codings) > 1:
        raise BadRequest(501, "Transfer-Encoding other than chunked")


def stays_open(version: bytes, fields: Fields) -> bool:
    """Return whether the connection stays open after the response to a request with these ``fields``."""
    options = b",".join(fields.get(b"Connection", ())).lower().split(b",")
    return version == b"HTTP/1.1" and b"close" not in [option.strip() for option in options]


def check_fields(version: bytes, fields: Fields) -> Problem | None:
    """What is wrong with the values of well-formed header ``fields``, if anything."""
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
    """What the client expects, in lower case; an HTTP/1.0 client expects nothing."""
    if b"Expect" not in fields or version != b"HTTP/1.1":
        return set()
    return {value.strip(b" \t").lower() for value in b",".join(fields[b"Expect"]).split(b",")} - {b""}


@lru_cache(64)
def is_host(value: bytes) -> bool:
    """Whether ``value`` is a host and perhaps a port, or empty, as Host may be (RFC 9110 section 7.2)."""
    if not value:
        return True
    match = _HOST.fullmatch(value)
    if match is None or len(value) > _MAX_HOST or int(match[2] or 0) > _MAX_PORT:
        return False
    return match[1] is None or isIPv6Address(match[1].decode("ascii"))
