"""Cases for the client around the parser: writes, sizes, pauses, content types, statuses and cuts."""

from oagw.services.stream_test.case import EVENT_STREAM, Case, Write, bytewise, pieces
from oagw.services.stream_test.case import Dispatched as E


def typed(name: str, about: str, content_type: str, *, accepted: bool) -> Case:
    """Return a case of one event with another content type."""
    return Case(
        name,
        about,
        pieces("data: é\n\n".encode()),
        (E("é"),) if accepted else (),
        headers=(("Content-Type", content_type),),
        reconnects=accepted,
    )


def failing(status: int, about: str) -> Case:
    """Return a case of an event stream with a status that fails the connection."""
    body = b'event: error\ndata: {"error": {"message": "status %d"}}\n\n' % status
    return Case(f"status-{status}", about, pieces(body), status=status, reconnects=False)


def redirect(status: int) -> Case:
    """Return a case that redirects to the case ``lf``."""
    return Case(
        f"redirect-{status}",
        f"{status} to the case lf",
        (),
        (E("one"), E("two")),
        status=status,
        headers=(("Location", "lf"), ("Content-Type", EVENT_STREAM)),
    )


PIECES = (
    Case(
        "no-blank-line-at-the-end",
        "an event without an empty line at its end is dropped",
        pieces(b"data: one\n\ndata: two\n"),
        (E("one"),),
    ),
    Case(
        "no-line-end-at-the-end",
        "an event whose last line has no line end is dropped",
        pieces(b"data: one\n\ndata: two"),
        (E("one"),),
    ),
    Case(
        "cut-in-a-field-name",
        "the stream ends in the middle of a field name",
        pieces(b"data: one\n\nda"),
        (E("one"),),
    ),
    Case("empty", "a stream without any bytes", ()),
    Case(
        "one-byte-per-write",
        "an event and its neighbours, byte by byte",
        bytewise("id: 1\r\nevent: é\r\ndata: 🦀\r\n\r\n: c\r\ndata: x\r\n\r\n".encode()),
        (E("🦀", "é", "1"), E("x", id="1")),
    ),
    Case(
        "pieces-across-events",
        "writes that end in the middle of lines",
        pieces(b"da", b"ta: o", b"ne\n", b"\nda", b"ta:", b" two\n\n"),
        (E("one"), E("two")),
    ),
    Case(
        "8-mib-line",
        "one line of 8 MiB",
        (Write(b"data: "), Write(b"x", repeat=8 * 1024 * 1024), Write(b"\n\n")),
        (E("x", repeat=8 * 1024 * 1024),),
    ),
    Case(
        "10000-events-in-one-write",
        "10,000 tiny events in one write",
        (Write(b"data: x\n\n", repeat=10_000),),
        (E("x", times=10_000),),
    ),
    Case(
        "long-silence",
        "two seconds of silence before an event",
        (Write(b"data: one\n\n"), Write(b"data: two\n\n", 2.0)),
        (E("one"), E("two")),
    ),
    Case("silence-first", "a second of silence after the head", (Write(b"data: x\n\n", 1.0),), (E("x"),)),
)

CONTENT_TYPES = (
    typed(
        "type-with-charset",
        "text/event-stream; charset=utf-8",
        "text/event-stream; charset=utf-8",
        accepted=True,
    ),
    typed("type-in-capitals", "a media type is matched in any case", "TEXT/EVENT-STREAM", accepted=True),
    typed(
        "type-with-another-charset",
        "the stream is UTF-8 whatever the charset",
        "text/event-stream; charset=iso-8859-1",
        accepted=True,
    ),
    typed("type-wrong", "another content type fails the connection", "text/plain", accepted=False),
    typed("type-json", "JSON fails the connection", "application/json", accepted=False),
    Case(
        "type-missing",
        "a missing content type fails the connection",
        pieces(b"data: x\n\n"),
        headers=(),
        reconnects=False,
    ),
)

STATUSES = (
    Case(
        "status-204", "204 tells a client to stop reconnecting", (), status=204, headers=(), reconnects=False
    ),
    redirect(301),
    redirect(307),
    failing(401, "401 with an event stream fails the connection"),
    failing(403, "403 with an event stream fails the connection"),
    failing(404, "404 with an event stream fails the connection"),
    failing(500, "500 with an event stream fails the connection"),
    Case(
        "error-object",
        "200, and an error object in the stream",
        pieces(b'data: {"a": 1}\n\n', b'data: {"error": {"message": "overloaded", "code": 529}}\n\n'),
        (E('{"a": 1}'), E('{"error": {"message": "overloaded", "code": 529}}')),
    ),
)

CONNECTIONS = (
    Case(
        "reset-before-the-head",
        "the connection is reset without a response",
        (),
        status=None,
        ends="reset",
    ),
    Case(
        "close-before-the-head",
        "the connection is closed without a response",
        (),
        status=None,
        ends="truncate",
    ),
    Case("reset-after-the-head", "the connection is reset after the head", (), ends="reset"),
    Case(
        "reset-between-events",
        "the connection is reset after an event",
        pieces(b"data: one\n\n"),
        (E("one"),),
        ends="reset",
    ),
    Case(
        "reset-in-an-event",
        "the connection is reset in the middle of an event",
        pieces(b"data: one\n\ndata: tw"),
        (E("one"),),
        ends="reset",
    ),
    Case(
        "reset-in-a-chunk-header",
        "the connection is reset in the middle of a chunk header",
        (Write(b"data: one\n\n"), Write(b"1", raw=True)),
        (E("one"),),
        ends="reset",
    ),
    Case(
        "truncated",
        "the connection is closed without the last chunk",
        pieces(b"data: one\n\ndata: tw"),
        (E("one"),),
        ends="truncate",
    ),
    Case(
        "truncated-in-a-chunk",
        "the connection is closed in the middle of a chunk",
        (Write(b"data: one\n\n"), Write(b"ff\r\ndata: tw", raw=True)),
        (E("one"),),
        ends="truncate",
    ),
    Case(
        "content-length-too-long",
        "fewer bytes than Content-Length",
        pieces(b"data: one\n\n"),
        (E("one"),),
        ends="truncate",
        headers=(("Content-Type", EVENT_STREAM), ("Content-Length", "1000")),
    ),
    Case(
        "content-length-too-short",
        "more bytes than Content-Length: the rest is not part of the stream",
        pieces(b"data: one\n\n", b"data: two\n\n"),
        (E("one"),),
        ends="truncate",
        headers=(("Content-Type", EVENT_STREAM), ("Content-Length", "11")),
    ),
    Case(
        "content-length-right",
        "a complete stream with Content-Length",
        pieces(b"data: one\n\n", b"data: two\n\n"),
        (E("one"), E("two")),
        headers=(("Content-Type", EVENT_STREAM), ("Content-Length", "22")),
    ),
)

DONE = (
    Case(
        "done",
        "[DONE] is data like any other",
        pieces(b"data: {}\n\n", b"data: [DONE]\n\n"),
        (E("{}"), E("[DONE]")),
    ),
    Case(
        "done-missing",
        "a chat that ends without [DONE]",
        pieces(b'data: {"choices": []}\n\n'),
        (E('{"choices": []}'),),
    ),
    Case(
        "done-twice",
        "[DONE] twice",
        pieces(b"data: {}\n\ndata: [DONE]\n\ndata: [DONE]\n\n"),
        (E("{}"), E("[DONE]"), E("[DONE]")),
    ),
    Case(
        "data-after-done",
        "more data after [DONE]",
        pieces(b"data: [DONE]\n\n", b'data: {"late": true}\n\n'),
        (E("[DONE]"), E('{"late": true}')),
    ),
)

CASES = (*PIECES, *CONTENT_TYPES, *STATUSES, *CONNECTIONS, *DONE)
