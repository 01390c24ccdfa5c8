"""Situations in which a stream ends early, does not end, or is not a stream."""

import json
from collections.abc import Mapping
from typing import Any

from oagw.exam.observed import bounded, cancels, gives_up, waits
from oagw.exam.reported import (
    breaks_off,
    fails,
    gets_or_fails,
    returns_part,
    streams,
    streams_or_breaks_off,
)
from oagw.exam.situation import (
    FINISH,
    PIECES,
    STREAM,
    TEXT,
    RuleSource,
    Situation,
    answer,
    chunk,
    pieces,
    raw,
    rfc,
    stream,
    wire,
)
from oagw.exam.sources import (
    CHAT_STREAM,
    CHAT_STREAM_ERROR,
    EVENT_CLOSE,
    EVENT_COMMENTS,
    EVENT_SOURCE,
    EVENTS,
)

_READ = STREAM._replace(timeout=5.0, retries=0)
_IMPATIENT = STREAM._replace(timeout=0.5, retries=0)

# What a stream delivers that ends after two events, and the event that it begins then.
_TWO = "".join(PIECES[:2])
_THIRD = wire(pieces(3)[2])
_HALF = _THIRD[: _THIRD.index("content") + len('content": "')]

# Time for the client to read what was sent before a reset.
_PAUSE = {"raw": "", "delayMilliseconds": 100}

_ERROR = "Report an error: the answer is incomplete."
_OVER_AGAIN = "Deliver the text so far along with the error. Ask again, and start over with the text."

# A stream that goes on for 5 s: its text, and its events.
_ENDLESS = TEXT + " and so on" * 20
_GOES_ON = [
    *({**event, "delayMilliseconds": 50} for event in pieces()),
    *({"data": chunk(" and so on"), "delayMilliseconds": 250} for _ in range(20)),
]

# What the gateway appends to a stream whose upstream fails.
_PROBLEM = {
    "type": "gts://gts.cf.core.errors.err.v1~cf.core.err.service_unavailable.v1~",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "The upstream ended the connection",
}


def _ends_early(
    name: str, happens: str, stub: Mapping[str, Any], source: RuleSource, sent: str = _TWO
) -> Situation:
    """Return a situation in which every attempt ends after the text ``sent``."""
    return Situation(
        name=name,
        kind="stream",
        happens=happens,
        correct=_ERROR,
        source=source,
        legitimate=_OVER_AGAIN,
        calls=(_READ,),
        stubs=(stub,),
        rules=(breaks_off(sent), bounded()),
    )


ENDS = (
    _ends_early(
        "cut-between-events",
        "The connection is closed after two events, before the last chunk.",
        stream(pieces(2), "cut"),
        rfc(9112, "8"),
    ),
    _ends_early(
        "cut-inside-event",
        "The connection is closed inside the third event.",
        stream([*pieces(2), raw(_HALF)], "cut"),
        rfc(9112, "8"),
    ),
    _ends_early(
        "reset-between-events",
        "The connection is reset after two events.",
        stream([*pieces(2), _PAUSE], "reset"),
        rfc(9112, "8"),
    ),
    _ends_early(
        "reset-inside-event",
        "The connection is reset inside the third event.",
        stream([*pieces(2), raw(_HALF), _PAUSE], "reset"),
        rfc(9112, "8"),
    ),
    _ends_early(
        "ends-without-done",
        "The response is complete, but the stream stops after two events, without finish_reason and [DONE].",
        stream(pieces(2)),
        CHAT_STREAM,
    ),
    _ends_early(
        "ends-without-blank-line",
        "The response is complete, but the stream stops after the line of the third event: "
        "no blank line and no [DONE].",
        stream([*pieces(2), raw(_THIRD.removesuffix("\n"))]),
        EVENTS,
    ),
    _ends_early(
        "no-events",
        "The response is a complete stream without any event.",
        stream([]),
        CHAT_STREAM,
        "",
    ),
    _ends_early(
        "comments-only",
        "The response is a complete stream of three comments.",
        stream([{"comment": "keep-alive", "delayMilliseconds": 50}] * 3),
        CHAT_STREAM,
        "",
    ),
    _ends_early(
        "error-event",
        "After two events comes one whose data has a member error, then [DONE].",
        stream(
            [
                *pieces(2),
                {"data": {"error": {"message": "Planned failure", "type": "server_error"}}},
                FINISH[1],
            ]
        ),
        CHAT_STREAM_ERROR,
    ),
    _ends_early(
        "invalid-json-in-event",
        "The data of the third event is not JSON. The rest of the stream is complete.",
        stream([*pieces(2), raw(f"{_HALF}\n\n"), *pieces()[3:], *FINISH]),
        rfc(8259, "2"),
    ),
    _ends_early(
        "gateway-error-in-stream",
        "The upstream fails after two events. The gateway appends its problem document, as text.",
        stream([*pieces(2), raw(json.dumps(_PROBLEM))]),
        CHAT_STREAM,
    ),
    Situation(
        name="done-then-cut",
        kind="stream",
        happens="The connection is closed after [DONE], before the last chunk.",
        correct="Return the complete text.",
        source=CHAT_STREAM,
        legitimate="Report an error, because the response is incomplete by RFC 9112 section 8.",
        calls=(_READ,),
        stubs=(stream(ends="cut"),),
        rules=(streams_or_breaks_off(), bounded()),
    ),
    Situation(
        name="done-then-silence",
        kind="stream",
        happens="Nothing follows [DONE]: no last chunk, and no end of the connection.",
        correct="Return the complete text at once.",
        source=CHAT_STREAM,
        calls=(STREAM._replace(timeout=2.0, retries=0),),
        stubs=(stream(ends="hang"),),
        rules=(streams(),),
    ),
    Situation(
        name="silence-before-first",
        kind="stream",
        happens="The head of the response arrives. Nothing follows.",
        correct="Report an error when the time-out is over, and close the connection.",
        source=rfc(9112, "9.5"),
        calls=(_IMPATIENT,),
        stubs=(stream([], "hang"),),
        rules=(breaks_off(""), gives_up()),
        settle=1.0,
    ),
    Situation(
        name="silence-in-mid-stream",
        kind="stream",
        happens="After two events, nothing follows.",
        correct="Report an error when the time-out is over, and close the connection.",
        source=rfc(9112, "9.5"),
        legitimate="Deliver the text so far along with the error.",
        calls=(_IMPATIENT,),
        stubs=(stream(pieces(2), "hang"),),
        rules=(breaks_off(_TWO), gives_up()),
        settle=1.0,
    ),
    Situation(
        name="keepalive-comments",
        kind="stream",
        happens="Comments keep the stream alive for longer than the time-out. Then it goes on.",
        correct="Return the complete text: the time-out is for the next byte, and comments have bytes.",
        source=EVENT_COMMENTS,
        calls=(STREAM._replace(timeout=1.0, retries=0),),
        stubs=(
            stream(
                [
                    *pieces(2),
                    *[{"comment": "keep-alive", "delayMilliseconds": 250}] * 6,
                    *pieces()[2:],
                    *FINISH,
                ]
            ),
        ),
        rules=(streams(),),
    ),
    Situation(
        name="html-instead",
        kind="stream",
        happens="The answer is 200, but a page of HTML.",
        correct="Report an error.",
        source=EVENT_SOURCE,
        calls=(_READ,),
        stubs=(
            answer(body="<!DOCTYPE html><title>Sign in</title>\n", headers={"Content-Type": "text/html"}),
        ),
        rules=(fails(200),),
    ),
    Situation(
        name="problem-instead",
        kind="stream",
        happens="The first answer is a 429 of the gateway with Retry-After: 1, the next one is a stream.",
        correct="Wait at least one second, and ask again: nothing was delivered yet.",
        source=rfc(9110, "10.2.3"),
        legitimate="Report the 429 without a retry.",
        calls=(STREAM._replace(timeout=5.0),),
        stubs=(answer(problem={"category": "resource_exhausted", "retryAfter": 1}, times=1), stream()),
        rules=(gets_or_fails(429, value=TEXT), bounded()),
        if_retried=(waits(),),
    ),
    Situation(
        name="retry-does-not-repeat",
        kind="stream",
        happens="The first stream is cut after two events, the next one is complete.",
        correct="Report an error: the first part of the text has been delivered.",
        source=rfc(9112, "8"),
        legitimate="Ask again, start over, and return the text once.",
        calls=(STREAM._replace(timeout=5.0),),
        stubs=(stream(pieces(2), "cut", times=1), stream()),
        rules=(streams_or_breaks_off(), bounded()),
    ),
    Situation(
        name="cancel",
        kind="stream",
        happens="The stream goes on for 5 s. The client cancels it after two pieces of text.",
        correct="Close the connection, and do not ask again.",
        source=EVENT_CLOSE,
        calls=(_READ._replace(cancel_after=2),),
        stubs=(stream(_GOES_ON),),
        rules=(returns_part(_ENDLESS), cancels()),
        settle=1.5,
    ),
)
