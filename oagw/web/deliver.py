"""deliver: the one way from an answer to the wire."""

from twisted.web.server import Request

from oagw.web.reply import Reply, send
from oagw.web.stream import EventStream


def deliver(request: Request, answer: Reply | EventStream) -> None:
    """Answer ``request``."""
    if isinstance(answer, EventStream):
        answer.start(request)
    else:
        send(request, answer)
