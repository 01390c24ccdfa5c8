"""deliver: the one way from an answer to the wire."""

from functools import partial
from typing import cast

from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.web.reply import Reply, fail, send
from oagw.web.request import GatewayRequest
from oagw.web.stream import Stream

# An answer may still have to come.
Answer = Reply | Stream | Deferred[Reply] | Deferred[Reply | Stream]


def deliver(request: Request, answer: Answer) -> None:
    """Answer ``request``, if its client is still there for the answer."""
    if isinstance(answer, Reply):
        send(request, answer)
    elif isinstance(answer, Deferred):
        answer.addCallback(partial(_arrived, request)).addErrback(partial(fail, request))
    elif isinstance(request, GatewayRequest):
        answer.start(request)
    else:
        from oagw.web.foreign import ForeignRequest

        answer.start(cast(GatewayRequest, ForeignRequest(request)))


def _arrived(request: Request, answer: Reply | Stream) -> None:
    if not request._disconnected:
        deliver(request, answer)
