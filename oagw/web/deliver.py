"""deliver: the one way from an answer to the wire."""

from functools import partial

from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.web.reply import Reply, fail, send
from oagw.web.stream import EventStream

# A Reply may still have to come.
Answer = Reply | EventStream | Deferred[Reply]


def deliver(request: Request, answer: Answer) -> None:
    """Answer ``request``, if its client is still there when the answer is."""
    if isinstance(answer, Deferred):
        answer.addCallback(partial(_arrived, request)).addErrback(partial(fail, request))
    elif isinstance(answer, EventStream):
        answer.start(request)
    else:
        send(request, answer)


def _arrived(request: Request, reply: Reply) -> None:
    if not request._disconnected:
        send(request, reply)
