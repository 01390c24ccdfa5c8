"""deliver: the one way from an answer to the wire."""

from functools import partial

from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.web.reply import Reply, fail, send
from oagw.web.request import GatewayRequest
from oagw.web.stream import EventStream

# A Reply may still have to come.
Answer = Reply | EventStream | Deferred[Reply] | Deferred[Reply | EventStream]


def deliver(request: Request, answer: Answer) -> None:
    """Answer ``request``, under the toxics that act on it, if its client is still there for the answer."""
    if isinstance(answer, Deferred):
        answer.addCallback(partial(_arrived, request)).addErrback(partial(fail, request))
        return
    if isinstance(request, GatewayRequest) and (request.faults or request.sandbox.toxics):
        # Loaded with the first toxic: most tests have none.
        from oagw.gateway.under_toxics import spoilt

        answer = spoilt(request, answer)
    if isinstance(answer, Reply):
        send(request, answer)
    else:
        answer.start(request)


def _arrived(request: Request, answer: Reply | EventStream) -> None:
    if not request._disconnected:
        deliver(request, answer)
