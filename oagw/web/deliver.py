"""deliver: the one way from an answer to the wire."""

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.server import Request

from oagw.web.reply import Reply, send
from oagw.web.stream import EventStream


class Delayed:
    """An answer that comes ``seconds`` later on ``clock``, unless the client has left by then."""

    def __init__(self, answer: Reply | EventStream, seconds: float, clock: IReactorTime) -> None:
        self._answer = answer
        self._seconds = seconds
        self._clock = clock

    def start(self, request: Request) -> None:
        """Wait, then answer ``request``."""
        due = self._clock.callLater(self._seconds, deliver, request, self._answer)

        def forget(_: Failure) -> None:
            if due.active():
                due.cancel()

        request.notifyFinish().addErrback(forget)


def deliver(request: Request, answer: Reply | EventStream | Delayed) -> None:
    """Answer ``request``."""
    if isinstance(answer, Reply):
        send(request, answer)
    else:
        answer.start(request)
