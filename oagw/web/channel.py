"""GatewayChannel: one connection. What is no request, or too large, or too slow, is refused here.

What Twisted would answer by itself (a bare 400, a silent close) is answered with a problem. ``web.request``
is what comes out of it; ``web.site`` is what all connections share.
"""

import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers
from twisted.web.server import Request
from zope.interface import implementer

from oagw.control.space import Space
from oagw.model.journal import COMPLETE, Entry
from oagw.model.problem import platform
from oagw.web.reply import REQUEST_ID, problem_reply, wire
from oagw.web.request import MAX_BODY, BodyTooLarge, GatewayRequest

if TYPE_CHECKING:
    from oagw.web.site import GatewaySite

# Seconds that a connection may idle, and that a request may take from its first byte to its last.
REQUEST_TIMEOUT = 60.0
# Seconds, of real time, that a refused client is still read from. Closing at once would reset the connection
# while the client sends, and the reset can overtake the answer.
LINGER = 5.0


@implementer(IHalfCloseableProtocol)
class GatewayChannel(HTTPChannel):
    """One connection: bounded in size and time, and refusing with a problem what is no request."""

    __slots__ = (  # see GatewayRequest
        "_client",
        "_command",
        "_dataBuffer",
        "_deadline",
        "_handlingRequest",
        "_head",
        "_host",
        "_local",
        "_number",
        "_path",
        "_peer",
        "_transferDecoder",
        "_turn",
        "_unwritten",
        "_version",
        "_watch",
        "requests",
    )
    requestFactory = GatewayRequest
    site: "GatewaySite"
    transport: ITCPTransport
    _refused = False
    _lingering: IDelayedCall | None = None

    @property
    def congested(self) -> bool:
        """Whether the client does not read, so that the transport asks for silence."""
        return bool(self._waitingForTransport)

    def connectionMade(self) -> None:
        self._number = self.site.channel_made(self)
        self._turn = 0  # how many requests there were
        # The request line of the request that is being read, and its header lines so far.
        self._command = self._path = self._version = b""
        self._head: list[bytes] = []
        self._deadline: float | None = None  # when the time-out is, in the clock's seconds
        self._watch: IDelayedCall | None = None  # looks whether it has come
        self._unwritten = b""  # the head of a response that waits for the first of its body
        self._peer, self._host = peer, host = self.transport.getPeer(), self.transport.getHost()
        self._client, self._local = (peer.host, peer.port), (host.host, host.port)
        self._requestProducer = self._requestProducerStreaming = None
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.channel_lost(self)
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        super().connectionLost(reason)
        if self._watch is not None:
            self._watch.cancel()

    def setTimeout(self, period: float | None) -> float | None:
        """Time out ``period`` seconds from now; None: not at all.

        Twisted would make a delayed call for each request, and cancel it. Here one call looks on.
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

    @property
    def unsent(self) -> bool:
        """Whether the transport still holds something that was written."""
        transport: Any = self.transport
        return isinstance(transport, Connection) and bool(transport._tempDataLen or transport.dataBuffer)

    @property
    def undelivered(self) -> bool:
        """Whether something that was written is still on this side, as far as the system tells."""
        return self.unsent or (
            isinstance(self.transport, Connection) and _in_kernel(self.transport.fileno()) > 0
        )

    def write(self, data: bytes) -> None:
        """Send at once what nothing waits before; Twisted's way would take the reactor two more turns."""
        data, self._unwritten = self._unwritten + data, b""
        transport: Any = self.transport
        direct = isinstance(transport, Connection)  # and nothing wrapped around one, such as TLS
        if not direct or self.unsent or transport.disconnecting or not transport.connected:
            transport.write(data)
            return
        sent = transport.writeSomeData(data)
        if not isinstance(sent, int):
            sent = 0  # the connection is lost; the reactor finds out when it tries
        if sent < len(data):
            transport.write(data[sent:])

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def flush(self) -> None:
        """Write the head of a response that still waits for a body."""
        if self._unwritten:
            self.write(b"")

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Write the head of a response with the first of its body, and have it in the journal.

        A head that is withheld is only in the journal.
        """
        pieces = [version, b" ", code, b" ", reason]
        for name, values in headers.getAllRawHeaders():
            for value in values:
                pieces += (b"\r\n", name, b": ", value)
        head = b"".join(pieces)
        request = self.requests[0]
        request.entry.response_head = head
        if not request.withheld:
            self._unwritten = head + b"\r\n\r\n"

    def dataReceived(self, data: bytes) -> None:
        if self._refused:
            return
        # Twisted starts its time-out anew at every byte, so that a trickle could hold a connection for
        # ever. Here time runs from the first byte of a request to its last.
        if not self.requests and not self._buffer:
            self.resetTimeout()
        LineReceiver.dataReceived(self, data)

    def rawDataReceived(self, data: bytes) -> None:
        try:
            super().rawDataReceived(data)
        except BodyTooLarge:
            self._refuse_body()

    def headerReceived(self, line: bytes) -> bool:
        self._head.append(line)
        try:
            return HTTPChannel.headerReceived(self, line)  # type: ignore[no-any-return]
        except ValueError:  # a length of more digits than Python reads
            self._refuse_body()
            return False

    def opened(self, fields: Headers) -> tuple[Space, Entry]:
        """The space and a new entry for the request with these header ``fields``. Called by it."""
        site, self._turn = self.site, self._turn + 1
        head, self._head = b"\r\n".join(self._head), []
        now = site.now()
        entry = Entry(
            site.number(),
            now,
            self._command,
            self._path,
            head,
            self._number,
            self._turn,
            self._client,
            self._local,
            self._version,
            site.wall(),
        )
        spaces = site.spaces
        if not spaces:  # no sandboxes
            return spaces.shared, entry
        (authorization,) = fields.getRawHeaders(b"Authorization", (b"",))[-1:]
        return spaces.of(authorization, now), entry

    def serves(self, space: Space) -> bool:
        """Whether a request is being answered, or read, that belongs to ``space``."""
        return any(getattr(request, "space", None) is space for request in self.requests)

    def checkPersistence(self, request: http.Request, version: bytes) -> bool:
        # Twisted reads the first field alone, and does not know that commas separate.
        fields = request.requestHeaders.getRawHeaders(b"Connection")
        if fields is None:
            return version == b"HTTP/1.1"
        options = {option.strip().lower() for field in fields for option in field.split(b",")}
        if version == b"HTTP/1.1" and b"close" in options:
            request.responseHeaders.setRawHeaders(b"Connection", (b"close",))
        return version == b"HTTP/1.1" and b"close" not in options

    def readConnectionLost(self) -> None:
        """The client sends no more, but may well read what it has asked for.

        A stream ends: a client that has left looks the same.
        """
        if self._requestProducer is not None:
            self.transport.abortConnection()
        else:
            self.loseConnection()

    def writeConnectionLost(self) -> None:
        """Nothing: this is what ``_refuse`` does."""

    def allHeadersReceived(self) -> None:
        if self.length is not None and self.length > MAX_BODY:
            # Before "100 Continue" is sent and the body is on its way.
            self._refuse_body()
        else:
            super().allHeadersReceived()

    def requestDone(self, request: Request) -> None:
        self._command = self._path = self._version = b""
        super().requestDone(request)
        # Twisted, told to wait while a request is handled, would read on.
        if self._waitingForTransport:
            self._networkProducer.pauseProducing()

    def lineLengthExceeded(self, line: bytes) -> None:
        if self.requests:
            self._refuse(431, f"Header line longer than {self.MAX_LENGTH} bytes")
        else:
            self._refuse(414, f"Request line longer than {self.MAX_LENGTH} bytes")

    def timeoutConnection(self) -> None:
        if self.requests or self._buffer:
            self._refuse(408, f"Request not complete after {REQUEST_TIMEOUT:g} seconds")
        else:
            self._linger()  # it may not take what it was sent last
            self.loseConnection()

    def _linger(self) -> None:
        self._lingering = self.site.real.callLater(LINGER, self.transport.abortConnection)

    def _respondToBadRequestAndDisconnect(self) -> None:
        if self._receivedHeaderSize > self.totalHeadersSize:
            self._refuse(431, f"Header section larger than {self.totalHeadersSize} bytes")
        elif self._receivedHeaderCount > self.maxHeaders:
            self._refuse(431, f"More than {self.maxHeaders} header lines")
        else:
            self._refuse(400, "Malformed request")

    def _refuse_body(self) -> None:
        self._refuse(413, f"Body larger than {MAX_BODY} bytes")

    def _refuse(self, status: int, error: str) -> None:
        """Answer what is not a request, say that the connection ends, and read on for a while."""
        self._refused = True
        self.clearLineBuffer()
        self.setTimeout(None)
        site, reply = self.site, problem_reply(platform(status, error))
        fields = {b"Date": (site.date(),), REQUEST_ID: (site.request_id(),), **reply.headers}
        answer = wire(replace(reply, headers=fields))
        self.transport.write(answer)
        self._record_refusal(status, answer)
        site.log_refused(self.transport.getPeer(), status)
        if ITCPTransport.providedBy(self.transport):
            self._linger()
            self.transport.loseWriteConnection()
        else:
            self.loseConnection()

    def _record_refusal(self, status: int, answer: bytes) -> None:
        """Have what was no request in the journal, with what is known of it."""
        request = self.requests[-1] if self.requests else None
        if request is not None and request.content is not None:
            entry = request.entry
            request.record()
        else:
            space, entry = self.opened(Headers() if request is None else request.requestHeaders)
            space.record(entry)
        entry.response_head, _, body = answer.partition(b"\r\n\r\n")
        entry.status, entry.sent, entry.ended = status, len(body), COMPLETE
        entry.first_byte = entry.last_byte = self.site.now()


def _in_kernel(descriptor: int) -> int:
    """Bytes that the other side of a connection has not acknowledged; 0 where the system does not tell."""
    try:
        from fcntl import ioctl
        from termios import TIOCOUTQ

        queued = ioctl(descriptor, TIOCOUTQ, bytes(4))
    except (ImportError, OSError, ValueError):
        return 0
    return int.from_bytes(queued, sys.byteorder)
