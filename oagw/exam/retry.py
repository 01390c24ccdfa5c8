"""Situations in which a client may retry: stated delays, backoff, and requests that must not be repeated."""

import json
from typing import Any

from oagw.exam.observed import (
    backs_off,
    bounded,
    keeps_key,
    leaves_closed_connection,
    needs_reused_connection,
    once,
    repeats_only_with_key,
    same_body,
    waits,
    waits_if_it_knows,
)
from oagw.exam.reported import fails, gets_or_fails
from oagw.exam.situation import GET, POST, THING, WORD, PlannedCall, RuleSource, Situation, answer, rfc, toxic

# A call with an effect that must not happen twice, and one that may.
_ORDER = PlannedCall("POST", "/v1/orders", {"item": WORD, "count": 3})
_PUT = PlannedCall("PUT", "/v1/things/7", {"name": WORD, "count": 3})
_KEYED = _ORDER._replace(headers={"Idempotency-Key": "order-1f0c7a52"})

_NO_RETRY = "Report the error without a retry."
_BOTH = "Retry with any pause, or report the error without a retry."

_RETRY_AFTER = rfc(9110, "10.2.3")
_STRIPE = RuleSource("Stripe: idempotent requests", "https://docs.stripe.com/api/idempotent_requests")
_GITHUB = RuleSource(
    "GitHub: exceeding the rate limit",
    "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit",
)
_MILLISECONDS = RuleSource(
    "Azure SDK: retry-after-ms",
    "https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/core/core-rest-pipeline/src/retryStrategies/"
    "throttlingRetryStrategy.ts",
)
_BACKOFF = RuleSource(
    "Microsoft: when Retry-After is missing",
    "https://learn.microsoft.com/en-us/microsoft-cloud/dev/dev-proxy/concepts/retry-after-header",
)
_OPENAI = RuleSource(
    "OpenAI's SDK: a Retry-After above a minute is not waited for",
    "https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py",
)

# A date in two seconds, without the fraction, so that it is one to two seconds ahead.
_DATE = "{{now offset='2 seconds' format='EEE, dd MMM yyyy HH:mm:ss'}} GMT"
_OBSOLETE_DATE = "{{now offset='2 seconds' format='EEEE, dd-MMM-yy HH:mm:ss'}} GMT"
# Further ahead: a client that does not know the field may pause for a second.
_EPOCH = "{{now offset='3 seconds' format='unix'}}"
_TEMPLATE = ("response-template",)

_HTML = "<!DOCTYPE html><html><head><title>503</title></head><body><h1>Service unavailable</h1></body></html>"


def _delayed(
    name: str,
    happens: str,
    correct: str,
    status: int = 429,
    source: RuleSource = _RETRY_AFTER,
    **headers: str,
) -> Situation:
    """Return a situation in which the first answer states a delay in its ``headers``."""
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    template: dict[str, Any] = {}
    if any("{{" in value for value in fields.values()):
        template["transformers"] = _TEMPLATE
    return Situation(
        name=name,
        happens=happens,
        correct=correct,
        source=source,
        legitimate=f"Report the {status} without a retry.",
        stubs=(answer(status, headers=fields, times=1, **template), answer()),
        rules=(gets_or_fails(status), bounded()),
        if_retried=(waits(),),
    )


def _final(status: int, call: PlannedCall, section: str, **headers: str) -> Situation:
    """Return a situation in which every answer is a 4xx ``status``, which blames the request."""
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    return Situation(
        name=f"not-retried-{status}",
        happens=f"Every answer to the {call.method} is {status}.",
        correct=f"Report the {status}. The same request can only fail again.",
        source=rfc(9110, section),
        legitimate="Send a changed request, such as one with other credentials.",
        calls=(call,),
        stubs=(answer(status, headers=fields),),
        rules=(fails(status), once()),
    )


RETRY = (
    _delayed(
        "retry-after-seconds",
        "The first answer is 429 with Retry-After: 1, the next one is 200.",
        "Wait at least one second, then send the request again.",
        Retry_After="1",
    ),
    _delayed(
        "retry-after-date",
        "The first answer is 429 with a Retry-After date about two seconds ahead, the next one is 200.",
        "Wait until that date, then send the request again.",
        Retry_After=_DATE,
    ),
    _delayed(
        "retry-after-date-obsolete",
        "The first answer is 429 with a Retry-After date in the obsolete format of RFC 850.",
        "Wait until that date: recipients must accept all three formats of dates.",
        source=rfc(9110, "5.6.7"),
        Retry_After=_OBSOLETE_DATE,
    ),
    _delayed(
        "retry-after-on-503",
        "The first answer is 503 with Retry-After: 1, the next one is 200.",
        "Wait at least one second, then send the request again.",
        503,
        Retry_After="1",
    ),
    Situation(
        name="retry-after-ms",
        happens="The first answer is 429 with retry-after-ms: 700 and no Retry-After, the next one is 200.",
        correct="Wait at least 0.7 seconds, then send the request again.",
        source=_MILLISECONDS,
        legitimate="Report the 429 without a retry. A client that does not know the field is not judged.",
        stubs=(answer(429, headers={"retry-after-ms": "700"}, times=1), answer()),
        rules=(gets_or_fails(429), bounded(), waits_if_it_knows("retry-after-ms", sdk=b"x-stainless-")),
    ),
    Situation(
        name="rate-limit-reset",
        happens="The first answer is 429 with x-ratelimit-remaining: 0 and x-ratelimit-reset in about 3 s.",
        correct="Wait until the reset, then send the request again.",
        source=_GITHUB,
        legitimate="Report the 429 without a retry. A client that does not know the fields is not judged.",
        stubs=(
            answer(
                429,
                headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": _EPOCH},
                times=1,
                transformers=_TEMPLATE,
            ),
            answer(),
        ),
        rules=(gets_or_fails(429), bounded(), waits_if_it_knows("x-ratelimit-reset")),
    ),
    Situation(
        name="retry-after-zero",
        happens="Every answer is 429 with Retry-After: 0.",
        correct="Retry, at once or after a pause, but a limited number of times; then report the 429.",
        source=_RETRY_AFTER,
        legitimate=_NO_RETRY,
        stubs=(answer(429, headers={"Retry-After": "0"}),),
        rules=(fails(429), bounded()),
        deadline=20.0,
    ),
    Situation(
        name="retry-after-too-long",
        happens="Every answer is 429 with Retry-After: 3600.",
        correct="Report the 429 soon. Neither block the caller for an hour, nor retry early.",
        source=_OPENAI,
        legitimate="Wait for the hour: this is not judged. OpenAI's SDK may use its own backoff instead.",
        stubs=(answer(429, headers={"Retry-After": "3600"}),),
        rules=(fails(429), bounded()),
        if_retried=(waits(),),
        deadline=4.0,
        may_wait=True,
    ),
    Situation(
        name="retry-after-garbage",
        happens="The first answers are 429 with Retry-After: soon and Retry-After: -5, the next one is 200.",
        correct="Ignore the invalid values: retry with a backoff, or report the 429.",
        source=_RETRY_AFTER,
        legitimate="Report an error about the invalid field.",
        stubs=(
            answer(429, headers={"Retry-After": "soon"}, times=1),
            answer(429, headers={"Retry-After": "-5"}, times=1),
            answer(),
        ),
        rules=(gets_or_fails(429), bounded()),
    ),
    Situation(
        name="backoff-grows",
        happens="Every answer is 503, and states no delay. The client may retry three times.",
        correct="Pause before each retry, with pauses that grow or are random. Up to 50 ms are no pause.",
        source=_BACKOFF,
        legitimate="Report the 503 without a retry, or after one.",
        calls=(GET._replace(retries=3),),
        stubs=(answer(503),),
        rules=(fails(503), bounded()),
        if_retried=(backs_off(),),
        deadline=20.0,
    ),
    Situation(
        name="attempts-bounded",
        happens="Every answer to a POST with an Idempotency-Key is 503.",
        correct="Give up after a few attempts, and report the 503.",
        source=_BACKOFF,
        legitimate="Report the 503 without a retry, or use another number of retries.",
        calls=(_KEYED,),
        stubs=(answer(503),),
        rules=(fails(503), bounded()),
        deadline=20.0,
    ),
    _final(400, POST, "15.5.1"),
    _final(401, GET, "15.5.2", WWW_Authenticate="Bearer"),
    _final(403, GET, "15.5.4"),
    _final(404, GET, "15.5.5"),
    _final(422, POST, "15.5.21"),
    Situation(
        name="server-error-once",
        happens="The first answer is 500, the next one is 200.",
        correct="Send the request again after a pause, or report the 500.",
        source=rfc(9110, "9.2.2"),
        legitimate=_BOTH,
        stubs=(answer(500, times=1), answer()),
        rules=(gets_or_fails(500), bounded()),
    ),
    Situation(
        name="request-timeout-408",
        happens="The first answer is 408 with Connection: close, the next one is 200.",
        correct="Send the request again on a new connection, or report the 408.",
        source=rfc(9110, "15.5.9"),
        legitimate=_BOTH,
        stubs=(answer(408, headers={"Connection": "close"}, times=1), answer()),
        rules=(gets_or_fails(408), bounded()),
        if_retried=(leaves_closed_connection(),),
    ),
    Situation(
        name="lost-answer-get",
        happens="The connection is reset after the GET, without an answer; the next answer is 200.",
        correct="Send the GET again, or report the error.",
        source=rfc(9110, "9.2.2"),
        legitimate=_BOTH,
        stubs=(answer(fault="CONNECTION_RESET_BY_PEER", times=1), answer()),
        rules=(gets_or_fails(), bounded()),
    ),
    Situation(
        name="lost-answer-put",
        happens="The connection is reset after the PUT, without an answer; the next answer is 200.",
        correct="Send the PUT again with its body, or report the error.",
        source=rfc(9110, "9.2.2"),
        legitimate=_BOTH,
        calls=(_PUT,),
        stubs=(answer(fault="CONNECTION_RESET_BY_PEER", times=1), answer()),
        rules=(gets_or_fails(), bounded()),
        if_retried=(same_body(),),
    ),
    Situation(
        name="lost-answer-post",
        happens="The connection is reset after the POST, without an answer; the next answer would be 200.",
        correct="Report the error. The server may have acted, so a repeated POST could act twice.",
        source=rfc(9110, "9.2.2"),
        legitimate="Repeat the POST with an Idempotency-Key of the client's own in each attempt.",
        calls=(_ORDER,),
        stubs=(answer(fault="CONNECTION_RESET_BY_PEER", times=1), answer()),
        rules=(gets_or_fails(), repeats_only_with_key()),
        if_retried=(keeps_key(),),
    ),
    Situation(
        name="lost-answer-post-with-key",
        happens="The connection is reset after a POST with an Idempotency-Key; the next answer is 200.",
        correct="Send the POST again with the same key and body, or report the error.",
        source=_STRIPE,
        legitimate=_BOTH,
        calls=(_KEYED,),
        stubs=(answer(fault="CONNECTION_RESET_BY_PEER", times=1), answer()),
        rules=(gets_or_fails(), bounded()),
        if_retried=(keeps_key(), same_body()),
    ),
    Situation(
        name="cut-answer-post",
        happens="The connection is closed in the middle of the answer to a POST.",
        correct="Report the error. The server has acted, so a repeated POST would act twice.",
        source=rfc(9110, "9.2.2"),
        legitimate="Repeat the POST with an Idempotency-Key of the client's own in each attempt.",
        calls=(_ORDER,),
        stubs=(
            answer(
                body=json.dumps(THING)[:120],
                headers={"Content-Type": "application/json", "Content-Length": str(len(json.dumps(THING)))},
                times=1,
            ),
            answer(),
        ),
        rules=(gets_or_fails(), repeats_only_with_key()),
        if_retried=(keeps_key(),),
    ),
    Situation(
        name="retry-sends-body",
        happens="The first answer to a POST with an Idempotency-Key is 503, the next one is 200.",
        correct="Send the POST again with the same key and its complete body, or report the 503.",
        source=_STRIPE,
        legitimate=_BOTH,
        calls=(_KEYED,),
        stubs=(answer(503, times=1), answer()),
        rules=(gets_or_fails(503), bounded()),
        if_retried=(keeps_key(), same_body()),
    ),
    Situation(
        name="retry-after-html-503",
        happens="The first answer is 503 with a page in HTML, the next one is 200.",
        correct="Decide by the status: send the request again after a pause, or report the 503.",
        source=rfc(9110, "15.6.4"),
        legitimate=_BOTH,
        stubs=(
            answer(503, body=_HTML, headers={"Content-Type": "text/html; charset=utf-8"}, times=1),
            answer(),
        ),
        rules=(gets_or_fails(503), bounded()),
    ),
    Situation(
        name="stale-connection-get",
        happens="The connection is reset when the client uses it for a second GET.",
        correct="Send the GET again on a new connection, or report the error.",
        source=rfc(9112, "9.3.1"),
        legitimate=f"{_BOTH} A client that does not use a connection again is not judged.",
        calls=(GET, GET),
        stubs=(answer(),),
        toxics=(toxic("reset_peer", skip=1, times=1, timeout=0),),
        rules=(needs_reused_connection(gets_or_fails()), bounded(15)),
    ),
    Situation(
        name="stale-connection-post",
        happens="The connection is reset when the client uses it again, for a POST.",
        correct="Report the error. The client cannot know whether the server has acted.",
        source=rfc(9112, "9.3.1"),
        legitimate="Repeat the POST with an Idempotency-Key of the client's own. "
        "A client that does not use a connection again is not judged.",
        calls=(GET, _ORDER),
        stubs=(answer(),),
        toxics=(toxic("reset_peer", skip=1, times=1, timeout=0),),
        rules=(needs_reused_connection(gets_or_fails()), repeats_only_with_key()),
    ),
)
