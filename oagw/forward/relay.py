"""Relay: passes a request on to an upstream, and the response back to the client as it arrives.

``forward.client`` has the connection to the upstream. ``gateway.forwarding`` decides where to and with what
header fields.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from oagw.forward.client import UpstreamConnection, send
from oagw.forward.failures import document_of, overdue, problem_of, reply_of, timed_out, unavailable
from oagw.forward.response import UpstreamHead
from oagw.model.ending import Ending
from oagw.model.problem import Problem
from oagw.web.deliver import deliver
from oagw.web.exchange import Exchange
from oagw.web.reply import Reply, begin, fail, masked_text, problem_reply

# The pauses between the attempts to resolve a name, in seconds.
_DNS_RETRIES = (0.1, 0.5, 2.5)


class Forwarded(NamedTuple):
    """A request as it leaves for an upstream, and what happens to the response.

    - ``endpoint``: where to connect
    - ``head``: the bytes of the request's head; ``body``: those of its body
    - ``url``: the URL of the request, for messages
    - ``instance``: the path and query below ``/proxy``, for the forwarder's problems
    - ``respond``: returns the head to send for that of the upstream, or a problem that replaces the response
    - ``fail``: returns the response to a failure of the forwarder, with the gateway's header rules applied
    - ``bodiless``: whether the response has no body in any case, because the request is a HEAD
    - ``deadline``: the time at which the head must be there in any case, or None
    """

    endpoint: IStreamClientEndpoint
    head: bytes
    body: bytes
    url: bytes
    instance: bytes
    respond: Callable[[UpstreamHead], Reply | Problem]
    fail: Callable[[Reply], Reply] = lambda reply: reply
    bodiless: bool = False
    deadline: float | None = None


class Timeouts(NamedTuple):
    """In seconds: ``head``, also the longest silence in a body; ``stream``, the same for event streams."""

    head: float = 30.0
    stream: float = 300.0


@implementer(IPushProducer)
class Relay:
    """One forwarded call.

    When the client leaves, the call to the upstream is aborted. While the client does not read, nothing is
    read from the upstream. When the upstream fails after the head, the problem document is appended to the
    body, as in the real gateway. When the gateway stops, event streams end without an error.
    """

    def __init__(self, request: Exchange, call: Forwarded, timeouts: Timeouts, clock: IReactorTime) -> None:
        self._request: Exchange | None = request  # None after the end
        self._call = call
        self._timeouts = timeouts
        self._clock = clock
        self._connection = UpstreamConnection(call.head, self, call.body, call.bodiless)
        self._left: int | None = None  # of the announced length
        self._begun = self._paused = self._corked = False
        self._silence = timeouts.head
        self._overdue = False  # whether the next time-out is that of the platform
        self._last = 0.0  # when the upstream was last heard
        self._timer: IDelayedCall | None = None
        self._retry: IDelayedCall | None = None
        self._connecting: Deferred[Any] | None = None

    def start(self) -> None:
        """Connect to the upstream."""
        assert self._request is not None
        self._last = now = self._clock.seconds()
        deadline = self._call.deadline
        if deadline is not None:
            # The platform's limit began with the request, and wins if both end at the same time.
            self._overdue = deadline <= now + self._silence
            self._silence = min(self._silence, max(0.0, deadline - now))
        self._timer = self._clock.callLater(self._silence, self._look)
        self._request.notifyFinish().addErrback(lambda _: self.stopProducing())
        self._connect(_DNS_RETRIES)

    def begun(self, head: UpstreamHead) -> None:
        request, self._last = self._request, self._clock.seconds()
        if request is None:
            return
        try:
            answer = self._call.respond(head)
            if isinstance(answer, Problem):
                answer = problem_reply(answer, request)
                self._close()
                self._connection.abort()
                deliver(request, answer)
                return
            begin(request, answer)
        except Exception:
            self.stopProducing()
            fail(request, Failure())
            return
        self._begun, self._left = True, head.length
        self._silence, self._overdue = self._timeouts.head, False
        if head.is_event_stream:
            request.stopping = self._end_stream
            self._silence = min(self._silence, self._timeouts.stream)
        if self._timer is not None:
            self._timer.reset(self._silence)
        request.cork()  # the head leaves together with what has arrived of the body
        self._corked = True
        request.write(b"")
        request.registerProducer(self, True)

    def received(self, data: bytes) -> None:
        self._last = self._clock.seconds()
        if self._request is not None:
            if self._left is not None:
                self._left -= len(data)
            self._request.write(data)

    def read(self) -> None:
        if self._corked and self._request is not None:
            self._corked = False
            self._request.uncork()

    def done(self) -> None:
        self._end(Ending.COMPLETE)

    def failed(self, reason: Failure) -> None:
        """Connecting or reading failed."""
        if self._begun:
            self._break_off(unavailable(5))
        else:
            self._refuse(problem_of(reason))

    def _connect(self, retries: tuple[float, ...]) -> None:
        """Connect; ``retries`` are the pauses before further attempts, if the name does not resolve."""
        self._connecting = send(self._call.endpoint, self._connection)
        self._connecting.addErrback(self._not_connected, retries)

    def _not_connected(self, reason: Failure, retries: tuple[float, ...]) -> None:
        if retries and reason.check(DNSLookupError) and self._request is not None:
            self._retry = self._clock.callLater(retries[0], self._connect, retries[1:])
        else:
            self.failed(reason)

    def pauseProducing(self) -> None:
        """The client does not read. Called by the channel."""
        self._paused = True
        self._connection.pause()

    def resumeProducing(self) -> None:
        """The client reads (again). Called by the channel."""
        self._paused = False
        self._last = self._clock.seconds()
        self._connection.resume()

    def stopProducing(self) -> None:
        """The client has left. Called by the channel."""
        self._close()
        self._abort()

    def _look(self) -> None:
        """End the call if the upstream was silent for too long, or else look again when it would be."""
        silent = self._clock.seconds() - self._last
        if self._paused or silent < self._silence:
            self._timer = self._clock.callLater(self._silence - (0 if self._paused else silent), self._look)
            return
        self._timer = None
        if not self._begun:
            request = self._request
            self._close()
            if request is not None:
                problem = overdue()
                if not self._overdue:
                    url = masked_text(request, self._call.url)
                    problem = timed_out(f"request to {url} timed out after {self._timeouts.head:g}s")
                deliver(request, problem_reply(problem, request))
        elif self._silence < self._timeouts.head:  # an event stream that is idle
            self._end_stream()
        else:
            self._break_off(timed_out("upstream read timed out"))
        self._abort()

    def _end_stream(self) -> None:
        """End an event stream without an error; one that is shorter than announced is cut."""
        self._end(Ending.TRUNCATE if self._left else Ending.COMPLETE)
        self._abort()

    def _abort(self) -> None:
        """Close the connection to the upstream, or stop connecting."""
        self._connection.abort()
        if self._connecting is not None:
            self._connecting.cancel()

    def _refuse(self, problem: Problem) -> None:
        request = self._request
        self._close()
        if request is not None:
            deliver(request, self._call.fail(reply_of(problem, self._instance(request))))

    def _break_off(self, problem: Problem) -> None:
        """Append the document of ``problem`` to the body, up to the announced length."""
        request = self._request
        if request is None:
            return
        document = document_of(problem, self._instance(request))
        missing = len(document) if self._left is None else self._left
        request.write(document[:missing])
        self._end(Ending.COMPLETE if missing <= len(document) else Ending.TRUNCATE)

    def _instance(self, request: Exchange) -> str:
        return masked_text(request, self._call.instance)

    def _end(self, ending: Ending) -> None:
        request = self._request
        begun = self._begun
        self.read()
        self._close()
        if request is not None:
            if begun:
                request.unregisterProducer()
            request.end(ending)

    def _close(self) -> None:
        """Forget the client; nothing more is written."""
        self._request = None
        for timer in (self._timer, self._retry):
            if timer is not None and timer.active():
                timer.cancel()
        self._timer = self._retry = None
