"""Replies as values, and the one place that writes them.

A resource returns a Reply; ``send`` turns it into calls on the request. Whoever needs only the head
(a stream) calls ``begin``. Every answer of the server passes through ``begin`` or, where no request
could be parsed, through ``wire`` below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.http import NO_BODY_CODES
from twisted.web.server import Request

from oagw.model.entry import RESET
from oagw.model.problem import PHRASES, Problem, canonical
from oagw.model.redacted import known_to
from oagw.model.response_head import ResponseHead
from oagw.web.exchange import entry_of

log = Logger()

ERROR_SOURCE = b"X-Oagw-Error-Source"  # as Twisted spells it in any case
REQUEST_ID = b"X-Request-Id"
GATEWAY = b"gateway"
UPSTREAM = b"upstream"
JSON = b"application/json"
PROBLEM_JSON = b"application/problem+json"

Headers = Mapping[bytes, tuple[bytes, ...]]

# Twisted knows no phrase for 422, 429 and others, and would say "Unknown Status".
_PHRASES = {status: phrase.encode("ascii") for status, phrase in PHRASES.items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, body, header fields (name to values) and who made it.

    ``source`` is ``GATEWAY`` or ``UPSTREAM``, and leaves as X-OAGW-Error-Source; or empty, for no such field.
    ``phrase`` is empty for the usual one.
    """

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=dict)
    source: bytes = GATEWAY
    phrase: bytes = b""


def json_reply(
    value: Any, status: int = 200, *, source: bytes = GATEWAY, headers: Headers | None = None
) -> Reply:
    """A Reply with ``value`` as JSON, which ends with a line end unless it stands for an upstream's."""
    fields = {b"Content-Type": (JSON,), **(headers or {})}
    body = msgspec.json.encode(value)
    return Reply(status, body if source == UPSTREAM else body + b"\n", fields, source)


def problem_reply(problem: Problem, request: Request | None = None) -> Reply:
    """A Reply with ``problem`` as application/problem+json.

    With a request the document also says which path (``instance``) and which trace it belongs to.
    """
    document: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "error": problem.error,
    }
    if request is not None:
        document["instance"] = masked_text(request, request.path)
        trace_id = _trace_id(request)
        if trace_id:
            document["trace_id"] = trace_id
    document["context"] = problem.context
    return Reply(
        problem.status,
        msgspec.json.encode(document),
        {b"Content-Type": (PROBLEM_JSON,), **problem.headers},
    )


def begin(request: Request, reply: Reply) -> None:
    """Set status and header fields of ``reply`` on ``request``; the next write sends them.

    If policies change the head of the response, they do so here.
    """
    exchange: Any = request
    if exchange.after is not None:
        after, exchange.after = exchange.after, None
        status, headers = after(ResponseHead(reply.status, reply.headers))
        reply = replace(reply, status=status, headers=headers)
    request.setResponseCode(reply.status, reply.phrase or _PHRASES.get(reply.status, b"Unknown"))
    fields = request.responseHeaders
    for name, values in reply.headers.items():
        fields.setRawHeaders(name, values)
    if reply.source:
        fields.setRawHeaders(ERROR_SOURCE, (reply.source,))


def begin_whole(request: Request, reply: Reply) -> None:
    """The same, and set Content-Length, for a ``reply`` whose body is all that is sent."""
    begin(request, reply)
    # RFC 9110 section 8.6: no Content-Length with 1xx and 204.
    if reply.status not in NO_BODY_CODES:
        request.responseHeaders.setRawHeaders(b"Content-Length", (b"%d" % len(reply.body),))


def is_bodiless(request: Request, reply: Reply) -> bool:
    """Whether ``reply`` to ``request`` ends with its head (RFC 9112 section 6.3)."""
    return request.method == b"HEAD" or reply.status in NO_BODY_CODES


def send(request: Request, reply: Reply) -> None:
    """Write ``reply`` and finish ``request``."""
    begin_whole(request, reply)
    request.write(reply.body)
    request.finish()


def wire(reply: Reply) -> bytes:
    """``reply`` as HTTP/1.1 bytes that announce the end of the connection."""
    lines = [b"HTTP/1.1 %d %b" % (reply.status, _PHRASES[reply.status])]
    lines += [b"%b: %b" % (name, v) for name, values in reply.headers.items() for v in values]
    lines += [
        b"%b: %b" % (ERROR_SOURCE, reply.source),
        b"Content-Length: %d" % len(reply.body),
        b"Connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + reply.body


def excerpt(text: bytes, limit: int = 200) -> str:
    """The start of ``text`` for use in a message: at most ``limit`` bytes, never undecodable."""
    return text[:limit].decode("utf-8", "replace") + ("…" if len(text) > limit else "")


def masked_text(request: http.Request, text: bytes) -> str:
    """``text``, which is a part of ``request``, as it may be shown: without credentials and tokens."""
    return known_to(entry_of(request)).masked(text.decode("utf-8", "replace"))


def masked_excerpt(request: http.Request, text: bytes, limit: int = 200) -> str:
    """The start of ``masked_text`` for use in a message."""
    return excerpt(masked_text(request, text).encode("utf-8", "replace"), limit)


def fail(request: Request, failure: Failure) -> None:
    """Log the unexpected ``failure`` and end ``request``: a 500 problem, or a cut if bytes are out.

    A response that has begun is aborted, because a clean end would look like success.
    """
    log.failure(
        "unexpected error: {method} {path}",
        failure,
        method=masked_text(request, request.method),
        path=masked_text(request, request.path),
    )
    if request._disconnected or request.finished:
        return
    if request.startedWriting:
        entry_of(request).ends(RESET)
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
        (trace_id,) = request.responseHeaders.getRawHeaders(REQUEST_ID, (b"",))
    return trace_id.decode("utf-8", "replace")
