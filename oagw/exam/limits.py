"""Situations in which a limit or an overload concerns all calls of a client."""

from oagw.exam.observed import bounded, holds_back, waits
from oagw.exam.reported import gets_or_fails, then_gets
from oagw.exam.situation import GET, RuleSource, Situation, answer, rfc

_ALL = (GET, GET, GET)
_LEGITIMATE = "Report the {status} to the user. When to call again is then up to the user, and not judged."


def _shared(name: str, status: int, source: RuleSource) -> Situation:
    """Return a situation in which the first of three calls is told to wait for a second."""
    return Situation(
        name=name,
        happens=f"Three calls begin 0.4 seconds apart. The first is answered {status} with Retry-After: 1.",
        correct="Send no request before the second is over, also not for the later calls.",
        source=source,
        legitimate=_LEGITIMATE.format(status=status),
        calls=_ALL,
        at_once=True,
        stagger=0.4,
        stubs=(answer(status, headers={"Retry-After": "1"}, times=1), answer()),
        rules=(gets_or_fails(status), bounded(20), holds_back()),
    )


LIMITS = (
    _shared("limit-shared", 429, rfc(6585, "4")),
    _shared("limit-on-503-shared", 503, rfc(9110, "10.2.3")),
    Situation(
        name="limit-then-new-call",
        happens="The first call is answered 429 with Retry-After: 1, then 200. Another call follows.",
        correct="Once the second is over, serve all calls as usual.",
        source=rfc(6585, "4"),
        legitimate="Report the 429 without a retry.",
        calls=(GET, GET._replace(path="/v1/others")),
        stubs=(answer(429, headers={"Retry-After": "1"}, times=1), answer()),
        rules=(gets_or_fails(429), bounded()),
        if_retried=(waits(), then_gets()),
    ),
)
