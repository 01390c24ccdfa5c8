"""deliver: the one way from an answer to the wire."""

from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.server import Request

from oagw.web.exchange import caller_of
from oagw.web.reply import Reply, fail, send
from oagw.web.site import GatewaySite
from oagw.web.sliced import SlicedReply
from oagw.web.stream import EventStream, Streams


class Delayed:
    """An answer that comes ``seconds`` later, unless the client has left by then."""

    def __init__(self, answer: Reply | EventStream, seconds: float, streams: Streams) -> None:
        self._answer = answer
        self._seconds = seconds
        self._streams = streams
        self._tick: int | None = None  # when to be woken
        self._request: Request | None = None

    def start(self, request: Request) -> None:
        """Wait, then answer ``request``."""
        self._request = request
        request.notifyFinish().addErrback(self._left)
        now = self._streams.clock.seconds()
        self._tick = self._streams.wait(self, now + self._seconds, now)

    def postpone(self, now: float) -> bool:
        """Wait for the turn after ``now``. Called by Streams."""
        self._tick = self._streams.wait(self, now, now)
        return True

    def wake(self, now: float) -> int:
        """Answer. Called by Streams; returns the number of steps."""
        self._tick = None
        assert self._request is not None
        try:
            deliver(self._request, self._answer)
        except Exception:
            fail(self._request, Failure())
        return 1

    def _left(self, _: Failure) -> None:
        if self._tick is not None:
            self._streams.forget(self, self._tick)


# An answer may still have to come.
Answer = Reply | EventStream | Delayed | SlicedReply | Deferred[Any]


def deliver(request: Request, answer: Answer) -> None:
    """Answer ``request``, under the toxics that act on it, if its client is still there for the answer."""
    if isinstance(answer, Deferred):
        answer.addCallback(partial(_arrived, request)).addErrback(partial(fail, request))
        return
    if isinstance(answer, (Delayed, SlicedReply)):
        answer.start(request)
        return
    site = request.site
    if isinstance(site, GatewaySite) and (request.faults or caller_of(request).sandbox.toxics):  # type: ignore[attr-defined]
        answer = site.spoilt(request, answer)
    if isinstance(answer, Reply):
        send(request, answer)
    else:
        answer.start(request)


def _arrived(request: Request, reply: Answer) -> None:
    if not request._disconnected:
        deliver(request, reply)
