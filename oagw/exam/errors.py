"""Situations in which the answer is an error, or not what it says; and unusual answers that are right."""

import gzip
import json
from base64 import b64encode

from oagw.exam.observed import asks_for_coding, bounded, needs_http_1_1
from oagw.exam.reported import fails, fails_on_page, gets, gets_nothing, gets_or_fails, shows_source
from oagw.exam.situation import GET, THING, RuleSource, Situation, answer, error, raw, rfc, toxic
from oagw.exam.sources import ERROR_SOURCE

# Nothing here takes long; a loaded machine should not make a client give up. An error stays the same however
# often the client asks.
_CALL = GET._replace(timeout=5.0, retries=0)

_JSON = {"Content-Type": "application/json"}
_HTML = {"Content-Type": "text/html"}
_PAGE = "<!DOCTYPE html><title>Bad Gateway</title><p>nginx\n"
_RETRIES = "Repeat the request as often as allowed."

_ANSWER = json.dumps(THING)

# Another word in the answer. UTF-8 needs several bytes for some of its characters.
_FLOWERS = {
    **THING,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Märzenbecher — 鈴蘭"},
            "finish_reason": "stop",
        }
    ],
}

# A response that is not one: bytes after the end of an answer.
_STRAY = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"stray": true}'

_STATUS_CLASSES = rfc(9110, "15")
_INTERIM = rfc(9110, "15.2")
_INCOMPLETE = rfc(9112, "8")


def _broken(name: str, happens: str, stub: dict[str, object], source: RuleSource) -> Situation:
    """Return a situation with the status 200 and a body that must not be taken for an answer."""
    return Situation(
        name=name,
        happens=happens,
        correct="Report an error.",
        source=source,
        legitimate=_RETRIES,
        calls=(_CALL,),
        stubs=(stub,),
        rules=(fails(200), bounded()),
    )


def _refused(name: str, happens: str, status: int, stub: dict[str, object], source: RuleSource) -> Situation:
    """Return a situation with an error that has this ``status``, and an unusual body."""
    return Situation(
        name=name,
        happens=happens,
        correct=f"Report an error, with the status {status} if the client shows one.",
        source=source,
        legitimate=_RETRIES if status >= 500 else "",
        calls=(_CALL,),
        stubs=(stub,),
        rules=(fails(status), bounded()),
    )


def _fine(name: str, happens: str, stub: dict[str, object], source: RuleSource) -> Situation:
    """Return a situation with an unusual answer that is complete."""
    return Situation(
        name=name,
        happens=happens,
        correct="Return the answer.",
        source=source,
        calls=(_CALL,),
        stubs=(stub,),
        rules=(gets(),),
    )


def _from(name: str, happens: str, stub: dict[str, object], source: str | None, correct: str) -> Situation:
    """Return a situation with a 403 from ``source``."""
    return Situation(
        name=name,
        happens=happens,
        correct=correct,
        source=ERROR_SOURCE,
        legitimate="A client that does not show X-OAGW-Error-Source is not judged.",
        calls=(_CALL,),
        stubs=(stub,),
        rules=(fails(403), shows_source(source)),
    )


ERRORS = (
    _from(
        "gateway-error",
        "The gateway refuses the call: 403 with X-OAGW-Error-Source: gateway and a problem document.",
        answer(problem="permission_denied"),
        "gateway",
        "Attribute the error to the gateway.",
    ),
    _from(
        "upstream-error",
        "The upstream refuses the call: 403 with X-OAGW-Error-Source: upstream.",
        answer(403),
        "upstream",
        "Attribute the error to the upstream.",
    ),
    _from(
        "source-missing",
        "A 403 comes without X-OAGW-Error-Source, for example from a proxy on the way.",
        answer(403, errorSource="none"),
        None,
        "Attribute the error to neither gateway nor upstream.",
    ),
    _refused(
        "error-html",
        "A 502 has a page of HTML.",
        502,
        answer(502, body=_PAGE, headers=_HTML),
        rfc(9110, "15.6"),
    ),
    _refused(
        "error-empty",
        "A 500 has the Content-Type application/json, and no body.",
        500,
        answer(500, body="", headers=_JSON),
        rfc(9110, "15.6"),
    ),
    _refused(
        "error-invalid-json",
        "A 400 has the Content-Type application/json, and JSON that breaks off.",
        400,
        answer(400, body='{"error": {"message": "Planned', headers=_JSON),
        rfc(9110, "15.5"),
    ),
    _refused(
        "error-json-string",
        "The JSON of a 400 is a string, not an object.",
        400,
        answer(400, "Planned failure"),
        rfc(9110, "15.5"),
    ),
    _refused(
        "large-error-body",
        "A 400 has a message of 500,000 characters.",
        400,
        answer(400, {"error": {**error(400)["error"], "message": "x" * 500_000}}),
        rfc(9110, "15.5"),
    ),
    _refused(
        "unknown-status",
        "The status is 471, which does not exist.",
        471,
        answer(471),
        _STATUS_CLASSES,
    ),
    _fine("unknown-success", "The status is 299, which does not exist.", answer(299, THING), _STATUS_CLASSES),
    _fine(
        "early-hints",
        "Two responses with the status 103 come before the answer.",
        answer(informational=[{"status": 103, "headers": {"Link": "</style.css>; rel=preload"}}] * 2),
        _INTERIM,
    ),
    _fine(
        "continue-unasked",
        "A response with the status 100 comes before the answer, although the client did not expect it.",
        answer(informational=[{"status": 100}]),
        _INTERIM,
    ),
    _fine(
        "trailers",
        "Fields follow the body of the answer.",
        answer(trailers={"X-Checksum": "1a2b", "Server-Timing": "total;dur=3"}),
        rfc(9112, "7.1.2"),
    ),
    Situation(
        name="no-content",
        happens="The answer to a DELETE is 204. It has neither a body nor a Content-Type.",
        correct="Return that there is no content. This is not an error.",
        source=rfc(9110, "15.3.5"),
        calls=(_CALL._replace(method="DELETE", path="/v1/things/1"),),
        stubs=(answer(204),),
        rules=(gets_nothing(),),
    ),
    Situation(
        name="gzip-answer",
        happens="If the client asks for gzip, the answer is coded with it.",
        correct="Return the decoded answer.",
        source=rfc(9110, "8.4"),
        legitimate="A client that does not ask for gzip is not judged.",
        calls=(_CALL,),
        stubs=(
            answer(
                request={"headers": {"Accept-Encoding": {"contains": "gzip"}}},
                headers={**_JSON, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"},
                base64Body=b64encode(gzip.compress(_ANSWER.encode(), mtime=0)).decode(),
            ),
            answer(),
        ),
        rules=(gets(), asks_for_coding("gzip")),
    ),
    Situation(
        name="charset",
        happens="The JSON has characters outside ASCII. Its Content-Type has no charset.",
        correct="Decode it as UTF-8.",
        source=rfc(8259, "8.1"),
        calls=(_CALL,),
        stubs=(answer(200, _FLOWERS),),
        rules=(gets(_FLOWERS),),
    ),
    _broken(
        "length-too-long",
        "The connection is closed after fewer bytes than Content-Length says, although the JSON is complete.",
        answer(200, THING, headers={"Content-Length": "1000"}),
        _INCOMPLETE,
    ),
    Situation(
        name="chunked-cut",
        happens="The connection is closed before the last chunk, although the JSON is complete.",
        correct="Report an error.",
        source=_INCOMPLETE,
        legitimate=f"{_RETRIES} A client that speaks HTTP/1.0, and so gets no chunks, is not judged.",
        calls=(_CALL,),
        stubs=(answer(sse={"events": [raw(_ANSWER)], "ends": "cut"}, headers=_JSON),),
        rules=(needs_http_1_1(fails(200)), bounded()),
    ),
    Situation(
        name="length-too-short",
        happens="After the first answer, beyond its Content-Length, come bytes that look like another one.",
        correct="Return the first answer, and do not take these bytes for the second.",
        source=rfc(9112, "9.2"),
        legitimate="Report an error.",
        calls=(_CALL, _CALL),
        stubs=(
            answer(
                body=_ANSWER + _STRAY,
                headers={**_JSON, "Content-Length": str(len(_ANSWER))},
                times=1,
                # The second half has the end of the answer and all of the other bytes.
                chunkedDribbleDelay={"numberOfChunks": 2, "totalDuration": 200},
            ),
            answer(),
        ),
        # The connection stays open for a while, so that only these bytes tell the client to leave it.
        toxics=(toxic("slow_close", times=1, delay=1000),),
        rules=(gets_or_fails(),),
    ),
    _broken(
        "success-invalid-json",
        "The answer is 200, but its JSON breaks off. Its Content-Length is right.",
        answer(body=_ANSWER[:100], headers=_JSON),
        rfc(8259, "2"),
    ),
    Situation(
        name="success-html",
        happens="The answer is 200, but a page of HTML.",
        correct="Report an error.",
        source=rfc(9110, "8.3"),
        legitimate="A client that returns the page as text, for its caller to judge, is not judged.",
        calls=(_CALL,),
        stubs=(answer(body=_PAGE, headers=_HTML),),
        rules=(fails_on_page(_PAGE, 200), bounded()),
    ),
)
