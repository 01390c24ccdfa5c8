"""GatewayChannel: one connection. It refuses malformed, oversized and slow requests.

Where Twisted would send a bare 400 or close silently, it answers with a problem. ``web.request`` is a request
that it has read; ``web.site`` is what all connections share.
"""

from dataclasses import replace
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.http import _IdentityTransferDecoder
from twisted.web.server import Request
from zope.interface import implementer

from oagw.model.call import origin_form
from oagw.model.ending import Ending
from oagw.model.entry import Entry
from oagw.model.problem import platform
from oagw.web.guard import refused_by_guard
from oagw.web.head import (
    MAX_SIZE,
    BadRequest,
    Chunks,
    Fields,
    body_length,
    check_fields,
    check_lines,
    expectations,
    parse_beginning,
    parse_head,
)
from oagw.web.pipelined import PipelinedChannel
from oagw.web.reply import REQUEST_ID, problem_reply, wire
from oagw.web.request import BodyTooLarge, GatewayRequest
from oagw.web.site import REQUEST_TIMEOUT

# Seconds, of real time, that a refused client is still read from. Closing at once would reset the connection
# while the client sends, and the reset can overtake the answer.
LINGER = 5.0
# Bytes of a body that are read although the head alone decides that the request is refused: closing the
# connection costs a client more than sending them.
SMALL_BODY = 65536


@implementer(IHalfCloseableProtocol)
class GatewayChannel(PipelinedChannel):
    """One connection, bounded in size and time. It refuses malformed requests with a problem."""

    __slots__ = (  # see GatewayRequest
        "_checked",
        "_client",
        "_command",
        "_corked",
        "_dataBuffer",
        "_deadline",
        "_descriptor",
        "_discarding",
        "_earlier",
        "_handlingRequest",
        "_head",
        "_host",
        "_local",
        "_made",
        "_number",
        "_path",
        "_peer",
        "_skipped",
        "_transferDecoder",
        "_turn",
        "_unwritten",
        "_version",
        "_watch",
        "paused",
        "requests",
    )
    requestFactory = GatewayRequest
    transport: ITCPTransport
    _lingering: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self._number = self.site.channel_made(self)
        self._turn = 0  # how many requests there were
        self._note_opened()
        # The request line of the request whose body is being read, and its header lines.
        self._command = self._path = self._version = self._head = b""
        self._checked = 0  # where the first line of the buffer starts that is not checked yet
        self._skipped = False  # whether an empty line came before the request line
        self._discarding = False  # whether what arrives is dropped, because the connection ends
        self.paused = False  # whether requests that arrived are held back
        self._deadline: float | None = None  # when the time-out is, in the clock's seconds
        self._watch: IDelayedCall | None = None  # looks whether it has come
        self._unwritten, self._corked = b"", None  # see OutgoingChannel
        self._peer, self._host = peer, host = self.transport.getPeer(), self.transport.getHost()
        self._client, self._local = (peer.host, peer.port), (host.host, host.port)
        self._requestProducer = self._requestProducerStreaming = None
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.channel_lost(self)
        self.site.arrivals.lost(self, self._descriptor)
        self._drop_requests()
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        super().connectionLost(reason)
        if self._watch is not None:
            self._watch.cancel()

    def setTimeout(self, period: float | None) -> float | None:
        """Time out ``period`` seconds from now, or never if it is None.

        Twisted would create and cancel a delayed call for each request. Here one call is reused.
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
        # A stream knows no time-out: what looks for one would take half a kilobyte as long as it is open.
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        super().registerProducer(producer, streaming)

    def getPeer(self) -> Any:
        return self._peer  # each request asks, and a transport would make it anew

    def getHost(self) -> Any:
        return self._host  # and here it would ask the system

    def dataReceived(self, data: bytes) -> None:
        if self._discarding:
            return
        if self.paused:
            self._buffer += data
            self._limit_read_ahead()
            return
        # Twisted starts its time-out anew at every byte, so that a trickle could hold a connection for
        # ever. Here time runs from the first byte of a request to its last.
        if not self.requests and not self._buffer:
            self.resetTimeout()
        self._buffer += data
        while self._buffer and not self.paused:
            if not self.line_mode:
                data, self._buffer = self._buffer, b""
                self.rawDataReceived(data)
            elif not self._read_head():
                break
        if self._buffer or self.requests:
            self.site.arrivals.begun(self)

    def _read_head(self) -> bool:
        """Read the head in the buffer; returns False if it is not complete."""
        buffer = self._buffer
        if not self._skipped and buffer.startswith(b"\r\n"):
            self._skipped = True  # some clients send one after a body (RFC 9112 section 2.2)
            self._buffer = buffer[2:]
            return True
        end = buffer.find(b"\r\n\r\n", max(0, self._checked - 2))
        try:
            if end < 0:
                self._checked = check_lines(buffer, self._checked)
                return False
            self._head_received(buffer[:end], buffer[end + 4 :])
        except BadRequest as bad:
            before = buffer[: end + 2] if bad.before is None else bad.before
            self._refuse(bad.status, bad.error, before)
        return True

    def _head_received(self, head: bytes, rest: bytes) -> None:
        """Begin a request: its ``head`` is complete, and followed by ``rest``. Raises BadRequest."""
        method, target, version, lines, fields = parse_head(head)
        length = self.length = body_length(version, fields, self.site.body_limit)
        self._command, self._path, self._version, self._head = method, target, version, lines
        self._buffer, self._checked = rest, 0
        request = self.requestFactory(self, 0)
        request.requestHeaders._rawHeaders = fields
        self.requests.append(request)
        self.persistent = self.checkPersistence(request, version)
        request.entry = entry = self._open_entry(fields)
        request.caller = entry.caller
        request.gotLength(length)
        if length == 0:
            self.allContentReceived()
            return
        expected = expectations(version, fields)
        undecided = not expected and length is not None and length <= SMALL_BODY
        if not undecided and self._is_refused(request, fields):
            self._answer_now(request)
            return
        if expected and not rest:  # and the body is not here already
            self._send100Continue()
        if length is not None and len(rest) >= length:  # all of the body is here
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

    def _is_refused(self, request: GatewayRequest, fields: Fields) -> bool:
        """Return whether ``request`` is refused whatever its body is. Its ``process`` sends the refusal."""
        if check_fields(self._version, fields) is not None:
            return True
        request.path = path = origin_form(self._path.partition(b"?")[0])
        try:
            return refused_by_guard(self.site.resource, path, request)
        finally:
            del request.path

    def _answer_now(self, request: GatewayRequest) -> None:
        """Answer ``request`` without its body, and end the connection."""
        self._discarding = True
        self.clearLineBuffer()
        self.persistent = False
        if self._version == b"HTTP/1.1":
            request.responseHeaders.setRawHeaders(b"Connection", (b"close",))
        self.allContentReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if self._handlingRequest:
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

    def _open_entry(self, fields: Fields) -> Entry:
        """Open an entry for the request with these header ``fields``."""
        self._turn += 1
        head, self._head = self._head, b""
        authorization = fields.get(b"Authorization")
        return self.site.entrance.open(
            self._command,
            self._path,
            self._version,
            head,
            None if authorization is None else authorization[-1],
            self._number,
            self._turn,
            self._client,
            self._local,
            self._arrived(),
        )

    def checkPersistence(self, request: http.Request, version: bytes) -> bool:
        # Twisted reads the first field alone, and does not know that commas separate.
        fields = request.requestHeaders.getRawHeaders(b"Connection")
        if fields is None:
            return version == b"HTTP/1.1"
        options = {option.strip().lower() for field in fields for option in field.split(b",")}
        if version == b"HTTP/1.1" and b"close" in options:
            request.responseHeaders.setRawHeaders(b"Connection", (b"close",))
        return version == b"HTTP/1.1" and b"close" not in options

    def writeConnectionLost(self) -> None:
        """Do nothing; ``_refuse`` closes the connection."""

    def requestDone(self, request: Request) -> None:
        if not self.is_out(request):
            return
        self._command = self._path = self._version = b""
        self._skipped = False
        if self._discarding:
            del self.requests[0]
            self._close_gently()
            return
        if self._buffer or (self._dataBuffer and any(self._dataBuffer)):
            if self.unsent and not self.persistent:
                super().requestDone(request)  # nothing must hasten the end
            elif self.persistent:
                # Twisted would handle these requests now, in the same turn of the reactor.
                self.paused = True
                super().requestDone(request)
                self._hold_requests()
            else:
                del self.requests[0]
                self._close_gently()
            return
        super().requestDone(request)
        if self.half_closed:
            self.loseConnection()
        elif self._waitingForTransport:  # Twisted would read on
            self._networkProducer.pauseProducing()

    def timeoutConnection(self) -> None:
        if self.paused and not self._waitingForTransport:
            self.resetTimeout()  # the gateway keeps the client waiting, not the client the gateway
        elif not self.paused and (self.requests or self._buffer):
            self._refuse(408, f"Request not complete after {REQUEST_TIMEOUT:g} seconds", self._buffer)
        else:
            self._linger()  # it may not take what it was sent last
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
        transport.unregisterProducer()  # or it might wait for one before it ends its side
        self._networkProducer.resumeProducing()
        self._linger()
        transport.loseWriteConnection()

    def _linger(self) -> None:
        self._lingering = self.site.real.callLater(LINGER, self.transport.abortConnection)

    def _refuse_body(self) -> None:
        self._refuse(413, f"Body larger than {self.site.body_limit} bytes")

    def _refuse(self, status: int, error: str, beginning: bytes = b"") -> None:
        """Refuse a malformed request and close the connection gently.

        ``beginning`` is the part of the head that was read, if the head is incomplete or malformed.
        """
        self.setTimeout(None)
        site, reply = self.site, problem_reply(platform(status, error))
        fields = {b"Date": (site.date(),), REQUEST_ID: (site.request_id(),), **reply.headers}
        answer = wire(replace(reply, headers=fields))
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
            head = parse_beginning(beginning)
            self._command, self._path, self._version, self._head = head[:4]
            entry = self._open_entry(head.fields)
            entry.received(b"", False)
        sent, _, body = answer.partition(b"\r\n\r\n")
        entry.head_sent(sent)
        entry.end(Ending.COMPLETE, status, len(body))
