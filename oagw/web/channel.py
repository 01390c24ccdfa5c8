"""GatewayChannel: one connection. It refuses malformed, oversized and slow requests.

Where Twisted would send a bare 400 or close the connection silently, it responds with a problem.
``web.request`` has the requests that it reads; ``web.site`` has the state that all connections share.
"""

from typing import Any

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import _IdentityTransferDecoder
from twisted.web.server import Request
from zope.interface import implementer

from oagw.model.call import is_proxied, origin_form
from oagw.model.ending import Ending
from oagw.model.entry import Entry
from oagw.model.problem import Problem, platform, too_large
from oagw.web.chunks import Chunks
from oagw.web.guard import refused_by_guard
from oagw.web.head import (
    MAX_SIZE,
    BadRequest,
    Head,
    check_lines,
    expectations,
    parse_beginning,
    parse_head,
)
from oagw.web.pipelined import PipelinedChannel
from oagw.web.reply import REQUEST_ID, problem_reply, wire
from oagw.web.request import BodyTooLarge, GatewayRequest
from oagw.web.site import REQUEST_TIMEOUT

# The number of real seconds for which data from a refused client is still read and dropped. Closing at once
# would reset the connection while the client sends, and the reset could overtake the response.
LINGER = 5.0
# A body of up to this number of bytes is read even if the head alone decides that the request is refused. For
# the client, sending it is cheaper than losing the connection.
SMALL_BODY = 65536


@implementer(IHalfCloseableProtocol)
class GatewayChannel(PipelinedChannel):
    """One connection, bounded in size and time. It refuses malformed requests with a problem."""

    __slots__ = (  # see GatewayRequest
        "_checked",
        "_client",
        "_corked",
        "_dataBuffer",
        "_deadline",
        "_descriptor",
        "_discarding",
        "_earlier",
        "_handlingRequest",
        "_held",
        "_local",
        "_made",
        "_number",
        "_skipped",
        "_stopped",
        "_transferDecoder",
        "_turn",
        "_unwritten",
        "_watch",
        "addresses",
        "paused",
        "requests",
    )
    requestFactory: type[GatewayRequest] = GatewayRequest
    transport: ITCPTransport
    _lingering: IDelayedCall | None = None
    _savedTimeOut = REQUEST_TIMEOUT  # the timeout that Twisted's requestDone sets

    def connectionMade(self) -> None:
        self._number = self.site.channel_made(self)
        self._turn = 0  # the number of requests so far
        self._note_opened()
        self._checked = 0  # the start of the first line of the buffer that is not checked yet
        self._skipped = False  # whether an empty line came before the request line
        self._discarding = False  # whether received data is dropped, because the connection is about to end
        self.paused = False  # whether received requests are held back
        self._deadline: float | None = None  # when the connection times out, in seconds of the clock
        self._watch: IDelayedCall | None = None  # the timer that checks the deadline
        self._unwritten = self._held = b""  # see OutgoingChannel
        self._corked, self._stopped = None, False
        self.addresses = peer, host = self.transport.getPeer(), self.transport.getHost()
        self._client, self._local = (peer.host, peer.port), (host.host, host.port)
        self._requestProducer = self._requestProducerStreaming = None
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._held = b""
        self.site.channel_lost(self)
        self.site.arrivals.lost(self, self._descriptor)
        self._drop_requests()
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        super().connectionLost(reason)
        if self._watch is not None:
            self._watch.cancel()

    def setTimeout(self, period: float | None) -> float | None:
        """Set the timeout to ``period`` seconds from now, or to never if it is None.

        Twisted creates and cancels a delayed call for each request. This method reuses one call.
        """
        previous, self.timeOut = self.timeOut, period  # type: ignore[assignment]
        self._deadline = None
        self.resetTimeout()
        return previous

    def resetTimeout(self) -> None:
        if self.timeOut is not None:
            self._deadline = self.site.now() + self.timeOut
            if self._watch is None:
                self._watch = self.callLater(self.timeOut, self._look)

    def _look(self) -> None:
        self._watch = None
        if self._deadline is not None:
            left = self._deadline - self.site.now()
            if left > 0:
                self._watch = self.callLater(left, self._look)
            else:
                self.timeoutConnection()

    def registerProducer(self, producer: object, streaming: bool) -> None:
        # Streams have no timeout. A timer would take half a kilobyte of memory per open stream.
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        super().registerProducer(producer, streaming)

    def getPeer(self) -> Any:
        return self.addresses[0]  # a transport would make it anew

    def getHost(self) -> Any:
        return self.addresses[1]  # and here it would ask the system

    def dataReceived(self, data: bytes) -> None:
        if self._discarding:
            return
        if self.paused:
            self._buffer += data
            self._limit_read_ahead()
            return
        begins = not self.requests and not self._buffer
        self._buffer += data
        while self._buffer and not self.paused:
            if not self.line_mode:
                data, self._buffer = self._buffer, b""
                self.rawDataReceived(data)
            elif not self._read_head():
                break
        if self._buffer or self.requests:
            self.site.arrivals.begun(self)
            # Twisted restarts its timeout at every byte, so that a slow trickle could keep a connection open
            # forever. Here the timeout applies from the first byte of a request to its last.
            if begins and not self._handlingRequest:
                self.resetTimeout()

    def _read_head(self) -> bool:
        """Parse the head in the buffer. Return False if it is incomplete."""
        buffer = self._buffer
        if not self._skipped and buffer.startswith(b"\r\n"):
            self._skipped = True  # some clients send a CRLF after a body (RFC 9112 section 2.2)
            self._buffer = buffer[2:]
            return True
        end = buffer.find(b"\r\n\r\n", max(0, self._checked - 2))
        try:
            if end < 0:
                self._checked = check_lines(buffer, self._checked)
                return False
            head = parse_head(buffer[:end], self.site.body_limit)
        except BadRequest as bad:
            before = buffer[: end + 2] if bad.before is None else bad.before
            self._refuse(bad.status, bad.error, before)
        else:
            self._head_received(head, buffer[end + 4 :])
        return True

    def _head_received(self, head: Head, rest: bytes) -> None:
        """Start a request: its ``head`` is complete, and ``rest`` is the data after it."""
        self._buffer, self._checked = rest, 0
        self._turn += 1
        entry = self._open_entry(head)
        if entry.url is not head.target:
            head = head._replace(target=entry.url)
        request = self.requestFactory(self, head, entry)
        self.requests.append(request)
        section = head.section
        fields, length = section.fields, section.length
        self.length, self.persistent = length, section.persistent
        if length == 0:
            self.allContentReceived()
            return
        expected = expectations(head.version, fields)
        undecided = not expected and length is not None and length <= SMALL_BODY
        if not undecided and self._is_refused(request):
            self._answer_now(request)
            return
        if expected and not rest:  # the body has not arrived already
            self._send100Continue()
        if length is not None and len(rest) >= length:  # the whole body has arrived
            request.handleContentChunk(rest[:length])
            self._buffer = rest[length:]
            self.allContentReceived()
            return
        if length is None:
            self._transferDecoder = Chunks(
                request.handleContentChunk, self._finishRequestBody, max_trailers=MAX_SIZE
            )
        else:
            self._transferDecoder = _IdentityTransferDecoder(
                length, request.handleContentChunk, self._finishRequestBody
            )
        self.setRawMode()

    def allContentReceived(self) -> None:
        """Process the request, which is now complete."""
        self.length = 0
        self._transferDecoder = None
        self._deadline = None  # the response may take long
        self._handlingRequest = True
        self.line_mode = 0  # further data is buffered until the response is complete
        self.requests[-1].process()

    def _is_refused(self, request: GatewayRequest) -> bool:
        """Return whether ``request`` is refused whatever its body is. Its ``process`` sends the refusal."""
        section = request.head.section
        if section.problem is not None or section.contradictory:
            return True
        request.path = path = origin_form(request.head.target.partition(b"?")[0])
        try:
            return refused_by_guard(self.site.resource, path, request)
        finally:
            del request.path

    def _answer_now(self, request: GatewayRequest) -> None:
        """Respond to ``request`` without reading its body, and end the connection."""
        self._discarding = True
        self.clearLineBuffer()
        self.persistent = False
        self.allContentReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if self._handlingRequest:
            self._stopped = True
            super().rawDataReceived(data)
            return
        decoder = self._transferDecoder
        assert decoder is not None
        try:
            decoder.dataReceived(data)
        except BodyTooLarge:
            self._refuse_body()
        except BadRequest as bad:
            self._refuse(bad.status, bad.error)

    def _open_entry(self, head: Head) -> Entry:
        """Open an entry for the request with this ``head``."""
        authorization = head.fields.get(b"Authorization")
        return self.site.entrance.open(
            head.method,
            head.target,
            head.version,
            head.lines,
            None if authorization is None else authorization[-1],
            self._number,
            self._turn,
            self._client,
            self._local,
            self._arrived(),
        )

    def writeConnectionLost(self) -> None:
        """Do nothing; ``_refuse`` closes the connection."""

    def requestDone(self, request: Request) -> None:
        if not self.is_out(request):
            return
        self._skipped = False
        if self._discarding:
            del self.requests[0]
            self._close_gently()
            return
        if self._buffer or (self._dataBuffer and any(self._dataBuffer)):
            if self.unsent and not self.persistent:
                super().requestDone(request)  # send the remaining data first
            elif self.persistent:
                # Twisted would handle these requests now, in the same iteration of the reactor.
                self.paused = True
                super().requestDone(request)
                self._hold_requests()
            else:
                del self.requests[0]
                self._close_gently()
            return
        if self.persistent and not self.half_closed and not self._waitingForTransport:
            del self.requests[0]
            self._handlingRequest = False
            self.line_mode = 1
            self.resetTimeout()
            if self._stopped:
                self._stopped = False
                self._networkProducer.resumeProducing()
            return
        super().requestDone(request)
        if self.half_closed:
            self.loseConnection()
        elif self._waitingForTransport:  # Twisted would continue to read
            self._stopped = True
            self._networkProducer.pauseProducing()

    def timeoutConnection(self) -> None:
        if self.paused and not self._waitingForTransport:
            self.resetTimeout()  # the client is waiting for the gateway, not the other way around
        elif not self.paused and (self.requests or self._buffer):
            self._refuse(408, f"Request not complete after {REQUEST_TIMEOUT:g} seconds", self._buffer)
        else:
            self._linger()  # the client may not read the data that is still to be sent
            self.loseConnection()

    def _close_gently(self) -> None:
        """Close the connection after its data is sent, but keep reading for LINGER seconds."""
        self._discarding = True
        self.clearLineBuffer()
        self._dataBuffer = []
        if self.half_closed or not ITCPTransport.providedBy(self.transport):
            self.loseConnection()
            return
        transport: Any = self.transport
        transport.unregisterProducer()  # the transport might wait for the producer before it closes its side
        self._networkProducer.resumeProducing()
        self._linger()
        transport.loseWriteConnection()

    def _linger(self) -> None:
        self._lingering = self.site.real.callLater(LINGER, self.transport.abortConnection)

    def _refuse_body(self) -> None:
        """Refuse a chunked body that grew too large. The limit of calls to upstreams is the gateway's."""
        error, target = f"Body larger than {self.site.body_limit} bytes", self.requests[-1].head.target
        self._refuse(413, error, problem=too_large(error) if is_proxied(target) else None)

    def _refuse(
        self, status: int, error: str, beginning: bytes = b"", problem: Problem | None = None
    ) -> None:
        """Refuse a malformed request with ``problem`` and close the connection gently.

        By default, it is that of ``status`` and ``error``. ``beginning`` is the part of the head that was
        read, if the head is incomplete or malformed.
        """
        self.setTimeout(None)
        site, id, request = self.site, self.site.request_id(), None
        if problem is None:
            problem = platform(status, error)
        else:
            request = self.requests[-1]
            request.path = origin_form(request.head.target.partition(b"?")[0])
            request.request_id = id
        reply, status = problem_reply(problem, request), problem.status
        fields = {b"Date": (site.date(),), REQUEST_ID: (id,), **reply.headers}
        answer = wire(reply._replace(headers=fields))
        site.arrivals.before_failure()
        self.transport.write(answer)
        self._record_refusal(status, answer, beginning)
        self._close_gently()

    def _record_refusal(self, status: int, answer: bytes, beginning: bytes) -> None:
        """Record a malformed request in the journal, as far as it was read."""
        request = self.requests[-1] if self.requests else None
        if request is not None:
            entry = request.entry
            request.received()
        else:
            self._turn += 1
            entry = self._open_entry(parse_beginning(beginning))
            entry.received(b"", False)
        sent, _, body = answer.partition(b"\r\n\r\n")
        entry.head_sent(sent)
        entry.end(Ending.COMPLETE, status, len(body))
