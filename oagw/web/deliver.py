"""deliver: send the answer that a resource returned."""

from functools import partial
from typing import Any, Protocol, cast

from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.web.exchange import Exchange
from oagw.web.reply import Reply, fail, send
from oagw.web.sliced import SlicedReply
from oagw.web.stream import Stream


class Startable(Protocol):
    """A response that writes itself."""

    def start(self, request: Exchange) -> None:
        """Respond to ``request``, now or later."""


# A Deferred fires with one of the others.
Answer = Reply | Stream | SlicedReply | Startable | Deferred[Any]


def deliver(request: Request, answer: Answer) -> None:
    """Send ``answer`` to ``request``, now or when it fires. Drop it if the client has left by then."""
    if isinstance(answer, Reply):
        send(request, answer)
    elif isinstance(answer, Deferred):
        answer.addCallback(partial(_arrived, request)).addErrback(partial(fail, request))
    else:
        answer.start(cast(Exchange, request))


def _arrived(request: Request, answer: Answer) -> None:
    if not request._disconnected:
        deliver(request, answer)
