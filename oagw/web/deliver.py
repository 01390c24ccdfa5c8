"""deliver: the one way from an answer to the wire."""

from twisted.web.server import Request

from oagw.web.reply import Reply, send
from oagw.web.request import GatewayRequest
from oagw.web.stream import EventStream


def deliver(request: Request, answer: Reply | EventStream) -> None:
    """Answer ``request``, under the toxics that act on it."""
    if isinstance(request, GatewayRequest) and (request.faults or request.space.toxics):
        # Loaded with the first toxic: most tests have none.
        from oagw.web.fault import spoilt

        answer = spoilt(request, answer)
    if isinstance(answer, EventStream):
        answer.start(request)
    else:
        send(request, answer)
