"""deliver: the one way from an answer to the wire."""

from functools import partial
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.web.exchange import Exchange
from oagw.web.reply import Reply, fail, send
from oagw.web.sliced import SlicedReply
from oagw.web.stream import Stream

# An answer may still have to come.
Answer = Reply | Stream | SlicedReply | Deferred[Any]


def deliver(request: Request, answer: Answer) -> None:
    """Answer ``request``, if its client is still there for the answer."""
    if isinstance(answer, Reply):
        send(request, answer)
    elif isinstance(answer, Deferred):
        answer.addCallback(partial(_arrived, request)).addErrback(partial(fail, request))
    else:
        answer.start(cast(Exchange, request))


def _arrived(request: Request, answer: Answer) -> None:
    if not request._disconnected:
        deliver(request, answer)
