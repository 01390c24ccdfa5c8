"""Replies: responses as values, and the functions that write them.

A resource returns a Reply; ``send`` writes it to the request. The head of a response is made in one of three
places: ``whole_head``, if head and body are written at once; ``begin``, for a stream, and if something may
change the header fields; ``wire``, if no request could be parsed.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.http import NO_BODY_CODES
from twisted.web.server import Request

from oagw.model.ending import Ending
from oagw.model.problem import PHRASES, Problem, canonical, shortened
from oagw.model.redacted import known_secrets
from oagw.model.response_head import ResponseHead
from oagw.model.secret import KnownSecrets
from oagw.web.exchange import entry_of
from oagw.web.header_lines import HeaderLines as HeaderLines
from oagw.web.header_lines import Headers as Headers
from oagw.web.header_lines import canonical_name
from oagw.web.header_lines import prepared as prepared

log = Logger()

ERROR_SOURCE = b"X-Oagw-Error-Source"  # in Twisted's spelling
REQUEST_ID = b"X-Request-Id"
GATEWAY = b"gateway"
UPSTREAM = b"upstream"
_SOURCE_LINES = {one: b"\r\n%b: %b" % (ERROR_SOURCE, one) for one in (GATEWAY, UPSTREAM)} | {b"": b""}
JSON = b"application/json"
PROBLEM_JSON = b"application/problem+json"

# Twisted has no phrases for 422, 429 and others, and would send "Unknown Status".
_PHRASES = {status: phrase.encode("ascii") for status, phrase in PHRASES.items()}

# The members of a problem's context whose values are constants of the gateway.
_CONSTANTS = frozenset(("resource_type", "reason", "type", "subject"))

_NO_FIELDS = HeaderLines(b"")
_JSON_FIELDS = {b"Content-Type": (JSON,)}
_JSON_LINES = prepared(_JSON_FIELDS)


class ReplacedBy(Exception):
    """A policy replaces a response, before its head is written, by ``problem``."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.error)
        self.problem = problem


class Reply(NamedTuple):
    """A response: status, body, header fields (values by name) and source.

    ``source`` is the value of X-OAGW-Error-Source, ``GATEWAY`` or ``UPSTREAM``, or empty to omit the field.
    ``phrase`` is the reason phrase, or empty for the standard one.
    """

    status: int
    body: bytes = b""
    headers: Headers = _NO_FIELDS
    source: bytes = GATEWAY
    phrase: bytes = b""


def json_reply(
    value: Any, status: int = 200, *, source: bytes = GATEWAY, headers: Headers | None = None
) -> Reply:
    """Return a Reply with ``value`` as JSON, followed by a line end unless the source is UPSTREAM."""
    fields: Headers
    if headers is None:
        fields = _JSON_LINES
    elif isinstance(headers, HeaderLines):
        fields = _JSON_LINES + headers
    else:
        fields = {**_JSON_FIELDS, **headers}
    body = msgspec.json.encode(value)
    return Reply(status, body if source == UPSTREAM else body + b"\n", fields, source)


def problem_reply(problem: Problem, request: Request | None = None, scripted: bool = False) -> Reply:
    """Return a Reply with ``problem`` as application/problem+json.

    With ``request``, the document also has the members ``instance`` (the path) and ``trace_id``, and what it
    quotes of the request is shown without credentials and tokens, and shortened; unless it is ``scripted``.
    """
    shown: Callable[[str], str] = str
    document: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": "",
        "error": "",
    }
    if request is not None:
        known = known_secrets(entry_of(request))
        if not scripted:
            shown = partial(_shown, known)
        document["instance"] = known.masked(request.path.decode("utf-8", "replace"))
        trace_id = _trace_id(request)
        if trace_id:
            document["trace_id"] = trace_id
    document["detail"], document["error"] = shown(problem.detail), shown(problem.error)
    document["context"] = problem.context if shown is str else _each_shown(problem.context, shown)
    return Reply(
        problem.status,
        msgspec.json.encode(document),
        {b"Content-Type": (PROBLEM_JSON,), **problem.headers},
    )


def shown_text(request: Request, text: str) -> str:
    """Return ``text``, a message about ``request``, without credentials and tokens, and shortened."""
    return _shown(known_secrets(entry_of(request)), text)


def _shown(known: KnownSecrets, text: str) -> str:
    return shortened(known.masked(text))


def _each_shown(value: Any, shown: Callable[[str], str]) -> Any:
    """Return a context with ``shown`` applied to its texts, but for those that are constants."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, list):
        return [_each_shown(each, shown) for each in value]
    if isinstance(value, Mapping):
        return {
            name: each if name in _CONSTANTS else _each_shown(each, shown) for name, each in value.items()
        }
    return value


def begin(request: Request, reply: Reply) -> None:
    """Set status and header fields of ``reply`` on ``request``; the next write sends them.

    If policies change the head of the response, they do so here. They may raise ReplacedBy.
    """
    exchange: Any = request
    if exchange.after is not None:
        after, exchange.after = exchange.after, None
        status, changed = after(ResponseHead(reply.status, reply.headers))
        reply = reply._replace(status=status, headers=changed)
    request.code = reply.status
    request.code_message = reply.phrase or _PHRASES.get(reply.status, b"Unknown")
    headers = request.responseHeaders
    fields = headers._rawHeaders
    pieces: list[bytes] = []
    for name, values in reply.headers.items():
        fields[canonical_name(name)] = [*values]
        pieces += values
    text = b"".join(pieces)
    if b"\r" in text or b"\n" in text:
        for name, values in reply.headers.items():
            headers.setRawHeaders(name, values)  # makes each value one line
    if reply.source:
        fields[ERROR_SOURCE] = [reply.source]


def begin_whole(request: Request, reply: Reply) -> None:
    """Do the same and set Content-Length, for a ``reply`` with a complete body."""
    begin(request, reply)
    # RFC 9110 section 8.6: no Content-Length with 1xx and 204.
    if reply.status not in NO_BODY_CODES:
        request.responseHeaders._rawHeaders[b"Content-Length"] = [b"%d" % len(reply.body)]


def is_bodiless(request: Request, reply: Reply) -> bool:
    """Return whether ``reply`` to ``request`` has no body (RFC 9112 section 6.3)."""
    return request.method == b"HEAD" or reply.status in NO_BODY_CODES


def send(request: Request, reply: Reply) -> None:
    """Write ``reply`` and finish ``request``."""
    exchange: Any = request
    exchange.respond(reply)


def respond_in_parts(request: Request, reply: Reply) -> None:
    """Write the head of ``reply``, then its body, as Twisted does, and finish ``request``."""
    begin_whole(request, reply)
    request.write(reply.body)
    request.finish()


def whole_head(reply: Reply, lines: bytes, closes: bool, date: bytes, request_id: bytes) -> bytes:
    """Return the head of ``reply`` without the blank line; ``lines`` are those of its own fields."""
    return b"HTTP/1.1 %d %b%b\r\nDate: %b\r\nX-Request-Id: %b%b%b%b" % (
        reply.status,
        reply.phrase or _PHRASES.get(reply.status, b"Unknown"),
        b"\r\nConnection: close" if closes else b"",
        date,
        request_id,
        lines,
        _SOURCE_LINES[reply.source],
        b"" if reply.status in NO_BODY_CODES else b"\r\nContent-Length: %d" % len(reply.body),
    )


def wire(reply: Reply) -> bytes:
    """Return ``reply`` as HTTP/1.1 bytes with ``Connection: close``."""
    lines = [b"HTTP/1.1 %d %b" % (reply.status, _PHRASES[reply.status])]
    lines += [b"%b: %b" % (name, v) for name, values in reply.headers.items() for v in values]
    lines += [
        b"%b: %b" % (ERROR_SOURCE, reply.source),
        b"Content-Length: %d" % len(reply.body),
        b"Connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + reply.body


def field_value(text: str, limit: int = 500) -> bytes:
    """Return the first ``limit`` characters of ``text`` as the value of a header field, in ASCII."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain[:limit].encode("ascii", "backslashreplace")[: 2 * limit]


def excerpt(text: bytes, limit: int = 200) -> str:
    """Return the first ``limit`` bytes of ``text`` as a string for messages."""
    return text[:limit].decode("utf-8", "replace") + ("…" if len(text) > limit else "")


def masked_text(request: http.Request, text: bytes) -> str:
    """Return ``text``, a part of ``request``, without credentials and tokens."""
    return known_secrets(entry_of(request)).masked(text.decode("utf-8", "replace"))


def masked_excerpt(request: http.Request, text: bytes) -> str:
    """Return the start of ``masked_text`` for messages."""
    return excerpt(masked_text(request, text).encode("utf-8", "replace"))


def fail(request: Request, failure: Failure) -> None:
    """Log the unexpected ``failure`` and answer ``request`` with a 500 problem.

    If the response has begun, abort it, because a clean end would look like success. A ReplacedBy is
    expected: its problem is sent.
    """
    if isinstance(failure.value, ReplacedBy):
        if not request._disconnected:
            send(request, problem_reply(failure.value.problem, request))
        return
    log.failure(
        "unexpected error: {method} {path}",
        failure,
        method=masked_text(request, request.method),
        path=masked_text(request, request.path),
    )
    if request._disconnected or request.finished:
        return
    if request.startedWriting:
        entry_of(request).ends(Ending.RESET)
        transport: Any = request.transport
        transport.abortConnection()
    else:
        problem = canonical("internal", error="The mock gateway failed; its log says why")
        send(request, problem_reply(problem, request))


def _trace_id(request: Request) -> str | None:
    traceparent = request.getHeader(b"traceparent")
    if traceparent is not None:
        # W3C Trace Context, section 3.2: version-traceid-parentid-flags
        parts = traceparent.split(b"-")
        if len(parts) >= 4 and len(parts[1]) == 32:
            return parts[1].decode("ascii", "replace")
    trace_id = request.getHeader(b"x-trace-id")
    if trace_id is None:
        exchange: Any = request
        trace_id = exchange.request_id
    return trace_id.decode("utf-8", "replace")
