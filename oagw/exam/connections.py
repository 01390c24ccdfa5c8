"""Situations of connections: used again, closed, reset, silent and slow."""

import json
from collections.abc import Mapping
from typing import Any

from oagw.exam.observed import (
    bounded,
    gives_up,
    leaves_closed_connection,
    needs_http_1_1,
    reuses_connection,
)
from oagw.exam.reported import fails, gets, in_call
from oagw.exam.situation import GET, THING, RuleSource, Situation, answer, error, raw, rfc, toxic

_CALL = GET._replace(timeout=5.0, retries=1)
_IMPATIENT = GET._replace(timeout=0.5, retries=0)

_JSON = {"Content-Type": "application/json"}
_HALF = json.dumps(THING)[:120]

# Time for the client to read what was sent before a reset.
_PAUSE = {"raw": "", "delayMilliseconds": 100}

# So many bytes of a response end in the name of its second field.
_IN_HEAD = 20

_INCOMPLETE = rfc(9112, "8")
_PERSISTENCE = rfc(9112, "9.3")
_TIME_OUTS = rfc(9112, "9.5")


def _breaks(
    name: str,
    happens: str,
    stub: Mapping[str, Any],
    source: RuleSource,
    toxics: tuple[Mapping[str, Any], ...] = (),
) -> Situation:
    """Return a situation in which every response breaks off."""
    return Situation(
        name=name,
        happens=happens,
        correct="Report an error.",
        source=source,
        legitimate="Repeat the request, which is idempotent, as often as allowed.",
        calls=(_CALL,),
        stubs=(stub,),
        toxics=toxics,
        rules=(fails(), bounded()),
    )


def _stalls(
    name: str, happens: str, stub: Mapping[str, Any], toxics: tuple[Mapping[str, Any], ...] = ()
) -> Situation:
    """Return a situation in which the server is silent for ever."""
    return Situation(
        name=name,
        happens=happens,
        correct="Report an error when the time-out is over, and close the connection.",
        source=_TIME_OUTS,
        legitimate="Repeat the request as often as allowed.",
        calls=(_IMPATIENT,),
        stubs=(stub,),
        toxics=toxics,
        rules=(fails(), gives_up()),
        settle=1.0,
    )


CONNECTIONS = (
    Situation(
        name="reuse",
        happens="Three calls, one after the other. The server keeps the connection open.",
        correct="Use one connection.",
        source=_PERSISTENCE,
        legitimate="A client that sends Connection: close, or speaks HTTP/1.0, is not judged.",
        calls=(_CALL, _CALL, _CALL),
        stubs=(answer(),),
        rules=(gets(), needs_http_1_1(reuses_connection())),
    ),
    Situation(
        name="reuse-after-error",
        happens="The first of two calls is answered with a 400 of 100,000 bytes.",
        correct="Report the 400, and return the second answer. What is left of the error is no part of it.",
        source=_PERSISTENCE,
        legitimate="Open a new connection for the second call.",
        calls=(_CALL, _CALL),
        stubs=(answer(400, {"error": {**error(400)["error"], "message": "x" * 100_000}}, times=1), answer()),
        rules=(in_call(1, fails(400)), in_call(2, gets())),
    ),
    Situation(
        name="connection-close",
        happens="Both answers have Connection: close. The server closes the connection after each.",
        correct="Open a new connection for the second call.",
        source=rfc(9112, "9.6"),
        calls=(_CALL, _CALL),
        stubs=(answer(headers={"Connection": "close"}),),
        rules=(gets(), leaves_closed_connection()),
    ),
    _breaks(
        "closed-without-response",
        "The server closes the connection without a response.",
        answer(fault="EMPTY_RESPONSE"),
        _INCOMPLETE,
    ),
    _breaks(
        "reset-before-head",
        "The server resets the connection without a response.",
        answer(fault="CONNECTION_RESET_BY_PEER"),
        _INCOMPLETE,
    ),
    _breaks(
        "reset-in-head",
        "The server resets the connection inside the head of the response.",
        answer(),
        _INCOMPLETE,
        (toxic("reset_peer", after_bytes=_IN_HEAD),),
    ),
    _breaks(
        "reset-after-head",
        "The server resets the connection after the head of a 200.",
        answer(sse={"events": [_PAUSE], "ends": "reset"}, headers=_JSON),
        _INCOMPLETE,
    ),
    _breaks(
        "reset-in-body",
        "The server resets the connection inside the body of a 200.",
        answer(
            sse={"events": [raw(_HALF), {"raw": "", "delayMilliseconds": 100}], "ends": "reset"},
            headers=_JSON,
        ),
        _INCOMPLETE,
    ),
    _breaks(
        "garbage",
        "The server sends bytes that are not HTTP, and closes the connection.",
        answer(fault="RANDOM_DATA_THEN_CLOSE"),
        rfc(9112, "4"),
    ),
    _stalls(
        "silent-server",
        "The server accepts the request, and sends nothing.",
        answer(),
        (toxic("timeout", timeout=0),),
    ),
    _stalls(
        "head-stalls",
        "The server sends 20 bytes of the head, and nothing more.",
        answer(),
        (toxic("timeout", timeout=0, after_bytes=_IN_HEAD),),
    ),
    _stalls(
        "body-stalls",
        "The server sends the head and a part of the body, and nothing more.",
        answer(sse={"events": [raw(_HALF)], "ends": "hang"}, headers=_JSON),
    ),
    Situation(
        name="slow-head",
        happens="The answer comes after 0.5 s. The time-out is 3 s.",
        correct="Wait for it, and return it. One request is enough.",
        source=_TIME_OUTS,
        calls=(GET._replace(timeout=3.0),),
        stubs=(answer(fixedDelayMilliseconds=500),),
        rules=(gets(), bounded(1)),
    ),
    Situation(
        name="head-in-pieces",
        happens="The answer, its head included, arrives in pieces of about 20 bytes.",
        correct="Return it. Pieces of data that arrive mean nothing in HTTP.",
        source=rfc(9112, "2.2"),
        calls=(_CALL,),
        stubs=(answer(),),
        toxics=(toxic("slicer", average_size=20, delay=5_000),),
        rules=(gets(), bounded(1)),
    ),
    Situation(
        name="slow-body",
        happens="The body takes 1 s, in five pieces. The time-out is 3 s.",
        correct="Wait for it, and return it. One request is enough.",
        source=_TIME_OUTS,
        calls=(GET._replace(timeout=3.0),),
        stubs=(answer(chunkedDribbleDelay={"numberOfChunks": 5, "totalDuration": 1000}),),
        rules=(gets(), bounded(1)),
    ),
)
