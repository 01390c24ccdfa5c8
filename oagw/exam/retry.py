"""Situations in which a client may retry: stated delays, backoff, and requests that must not be repeated."""

from oagw.exam.observed import bounded, waits
from oagw.exam.reported import gets_or_fails
from oagw.exam.situation import Situation, answer, rfc

RETRY = (
    Situation(
        name="retry-after-seconds",
        happens="The first answer is 429 with Retry-After: 1, the next one is 200.",
        correct="Wait at least one second, then send the request again.",
        source=rfc(9110, "10.2.3"),
        legitimate="CallReport the 429 without a retry.",
        stubs=(answer(429, headers={"Retry-After": "1"}, times=1), answer()),
        rules=(gets_or_fails(429), bounded(3)),
        if_retried=(waits(),),
    ),
)
