"""Situations in which a stream is complete, but spelled or divided in an unusual way."""

from collections.abc import Mapping
from typing import Any

from oagw.exam.reported import streams
from oagw.exam.situation import (
    FINISH,
    PIECES,
    STREAM,
    RuleSource,
    Situation,
    answer,
    chunk,
    pieces,
    raw,
    rfc,
    stream,
    toxic,
    wire,
)
from oagw.exam.sources import CHAT_STREAM, EVENT_LINES, EVENT_SOURCE, EVENTS

# Nothing here takes long; a loaded machine should not make a client give up.
_READ = STREAM._replace(timeout=5.0, retries=0)

_EVENTS = [wire(event) for event in (*pieces(), *FINISH)]
_WHOLE = "".join(_EVENTS)
_CRLF = _WHOLE.replace("\n", "\r\n")

_RETURN = "Return the complete text."


def in_two(text: str, at: int) -> dict[str, Any]:
    """Return a stub that sends the stream ``text`` in two writes, 0.1 s apart. ``at`` bytes are the first.

    A comment makes both equally long, because a stub divides a body into equal parts.
    """
    surplus = 2 * at - len(text.encode())
    padding = ":".ljust(abs(surplus) - 1, "-") + "\n" if surplus else ""
    return answer(
        body=text + padding if surplus > 0 else padding + text,
        headers={"Content-Type": "text/event-stream"},
        chunkedDribbleDelay={"numberOfChunks": 2, "totalDuration": 200},
    )


def _after(text: str, part: str) -> int:
    """Return the number of bytes of ``text`` up to the first byte of ``part``, that byte included."""
    return len(text[: text.index(part)].encode()) + 1


def _lines(data: Any) -> str:
    """Return ``data`` as JSON on several lines, each of which is a field of one event."""
    return "".join(f"data: {line}\n" for line in data)


def _complete(
    name: str,
    happens: str,
    stub: Mapping[str, Any],
    source: RuleSource = EVENTS,
    toxics: tuple[Mapping[str, Any], ...] = (),
) -> Situation:
    return Situation(
        name=name,
        kind="stream",
        happens=happens,
        correct=_RETURN,
        source=source,
        calls=(_READ,),
        stubs=(stub,),
        toxics=toxics,
        rules=(streams(),),
    )


def _mixed() -> str:
    """Return the stream with another spelling of the line end and of the blank line in each event."""
    ends = ("\n\n", "\r\n\r\n", "\r\r", "\r\n\n", "\n\r\n", "\r\r\n", "\n\n")
    return "".join(event.rstrip("\n") + end for event, end in zip(_EVENTS, ends, strict=True))


_JSON_LINES = (
    '{"id": "chatcmpl-exam", "object": "chat.completion.chunk",',
    '"created": 1700000000, "model": "gpt-4",',
    f'"choices": [{{"index": 0, "delta": {{"content": "{PIECES[0]}"}}, "finish_reason": null}}]}}',
)
_MULTI_LINE_CRLF = (_lines(_JSON_LINES) + "\n" + "".join(_EVENTS[1:])).replace("\n", "\r\n")

SYNTAX = (
    _complete(
        "complete",
        "A stream arrives event by event, and ends with [DONE].",
        stream([{**event, "delayMilliseconds": 30} for event in (*pieces(), *FINISH)]),
        CHAT_STREAM,
    ),
    _complete("one-write", "All events arrive in one piece.", stream([raw(_WHOLE)])),
    _complete(
        "byte-by-byte",
        "The answer, its head included, arrives byte by byte.",
        stream(),
        rfc(9112, "7.1"),
        (toxic("slicer", average_size=1, delay=100),),
    ),
    _complete(
        "split-utf-8",
        "A character of three bytes arrives in two pieces, 0.1 s apart.",
        in_two(_WHOLE, _after(_WHOLE, "—")),
    ),
    _complete("crlf", "All lines end with CR LF.", stream([raw(_CRLF)]), EVENT_LINES),
    _complete(
        "crlf-split",
        "The lines end with CR LF. Between the CR and the LF of a line in an event are 0.1 s.",
        in_two(_MULTI_LINE_CRLF, _after(_MULTI_LINE_CRLF, "\r\n")),
        EVENT_LINES,
    ),
    _complete("cr", "All lines end with CR.", stream([raw(_WHOLE.replace("\n", "\r"))]), EVENT_LINES),
    _complete("mixed-line-ends", "Lines end with LF, CR LF or CR.", stream([raw(_mixed())]), EVENT_LINES),
    _complete("bom", "The stream starts with a byte-order mark.", stream([raw("\ufeff" + _WHOLE)])),
    _complete(
        "multi-line-data",
        "The JSON of the first event has several lines, each in a field data of its own.",
        stream([raw(_lines(_JSON_LINES) + "\n"), *pieces()[1:], *FINISH]),
    ),
    _complete(
        "no-space-after-colon",
        "No space follows the colon of the fields.",
        stream([raw("".join(event.replace("data: ", "data:", 1) for event in _EVENTS))]),
    ),
    _complete(
        "unknown-fields",
        "Each event has fields that do not exist, with and without a value; one is called Data.",
        stream([raw("".join(f"trace: 1\nmarker\nData: x\n{event}" for event in _EVENTS))]),
    ),
    _complete(
        "comments-between",
        "Comments are between events and inside them.",
        stream([raw(": started\n\n" + "".join(f": keep-alive\n{event}:\n\n" for event in _EVENTS))]),
    ),
    _complete(
        "charset-parameter",
        "The Content-Type is text/event-stream; charset=utf-8.",
        stream(headers={"Content-Type": "text/event-stream; charset=utf-8"}),
        EVENT_SOURCE,
    ),
    _complete(
        "events-after-done",
        "After [DONE] comes an event with more text.",
        stream([*pieces(), *FINISH, {"data": chunk(" (too late)")}]),
        CHAT_STREAM,
    ),
)
