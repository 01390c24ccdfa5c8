"""The HTTP edge: GatewaySite, its channel (a connection) and its request.

Limits and malformed requests are dealt with here, so that what reaches the tree is a well-formed request.
What Twisted would answer by itself (a bare 400, a silent close, an HTML page) is answered here with a
problem. ``web.resource`` is the tree that comes next.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IReactorTime, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.http import HTTPChannel, datetimeToString
from twisted.web.resource import IResource
from twisted.web.server import Request, Site
from zope.interface import implementer

from oagw.model.problem import Problem, invalid_field, platform
from oagw.web.reply import REQUEST_ID, Reply, excerpt, fail, problem_reply, send, wire

# The platform's limit on request bodies, in bytes.
MAX_BODY = 64_000_000
# Seconds that a connection may idle, and that a request may take from its first byte to its last.
REQUEST_TIMEOUT = 60.0
# Seconds that a refused client is still read from. Closing at once would reset the connection while
# the client sends, and the reset can overtake the answer.
LINGER = 5.0
# Seconds that connections get to close when the server stops; a client that does not read would take for
# ever.
CLOSING = 0.1

# A request id that is sent back as it came.
_PLAIN = re.compile(rb"[!-~]{1,200}")


class GatewayRequest(Request):
    """One request, checked before it is looked up in the tree."""

    # CPython gives an instance with more than 30 attributes a whole dictionary of its own, 1.5 KiB for each
    # open stream. Those that Twisted sets in __init__ can live outside of it.
    __slots__ = (
        "client",
        "cookies",
        "host",
        "notifications",
        "received_cookies",
        "requestHeaders",
        "responseHeaders",
    )
    defaultContentType = None
    channel: "GatewayChannel"
    content: BytesIO

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > MAX_BODY:
            raise _BodyTooLarge
        self.content.write(data)

    def process(self) -> None:
        site = self.site = self.channel.site
        self.producer = self.streamingProducer = None  # now, while the dictionary still has room
        fields = self.responseHeaders
        fields.setRawHeaders(b"Date", (site.date(),))
        given = self.requestHeaders.getRawHeaders(REQUEST_ID, (b"",))[0]
        request_id = given if _PLAIN.fullmatch(given) else site.request_id()
        fields.setRawHeaders(REQUEST_ID, (request_id,))
        try:
            problem = self._malformed()
            if problem is not None:
                send(self, problem_reply(problem, self))
            elif self.path == b"*":
                self._star()
            else:
                self.prepath = []
                self.postpath = [unquote_to_bytes(s) for s in self.path[1:].split(b"/")]
                self.render(site.getResourceFor(self))
        except Exception:
            self.processingFailed(Failure())

    def connectionLost(self, reason: Failure) -> None:
        if self.path is not None and not self.finished:
            self.channel.site.log(self, " (incomplete)")  # Twisted logs complete answers alone
        super().connectionLost(reason)

    def processingFailed(self, reason: Failure) -> Failure:
        fail(self, reason)
        return reason

    def _malformed(self) -> Problem | None:
        for name in (b"Host", b"Authorization"):
            # Twisted would let the last of several win (Host: RFC 9112 section 3.2).
            if len(self.requestHeaders.getRawHeaders(name, ())) > 1:
                text = name.decode()
                return invalid_field(text.lower(), "DUPLICATE_HEADER", f"More than one {text}")
        if self.clientproto == b"HTTP/1.1" and not self.requestHeaders.hasHeader(b"Host"):
            return invalid_field("host", "REQUIRED", "Missing Host")
        if self.path[:1] != b"/" and self.path != b"*":
            # RFC 9112 section 3.2.2: a server must accept the absolute form.
            scheme, separator, rest = self.path.partition(b"://")
            if not separator or scheme.lower() not in (b"http", b"https"):
                return platform(400, f"Neither a path nor an http URL: {excerpt(self.path)}")
            self.path = b"/" + rest.partition(b"/")[2]
        return None

    def _star(self) -> None:
        # RFC 9110 section 9.3.7: OPTIONS * asks about the server as a whole.
        if self.method == b"OPTIONS":
            methods = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
            send(self, Reply(204, headers={b"Allow": (methods,)}))
        else:
            problem = platform(405, "Only OPTIONS asks for *", headers={b"Allow": (b"OPTIONS",)})
            send(self, problem_reply(problem, self))


class _BodyTooLarge(Exception):
    """A chunked body grew over MAX_BODY."""


@implementer(IHalfCloseableProtocol)
class GatewayChannel(HTTPChannel):
    """One connection: bounded in size and time, and refusing with a problem what is no request."""

    __slots__ = ("_dataBuffer", "_handlingRequest", "_transferDecoder", "requests")  # see GatewayRequest
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
        self.site.channels.add(self)
        self._requestProducer = self._requestProducerStreaming = None
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.channel_lost(self)
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        super().connectionLost(reason)

    @property
    def unsent(self) -> bool:
        """Whether the transport still holds something that was written."""
        transport: Any = self.transport
        return isinstance(transport, Connection) and bool(transport._tempDataLen or transport.dataBuffer)

    def write(self, data: bytes) -> None:
        """Send at once what nothing waits before; Twisted's way would take the reactor two more turns."""
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
        except _BodyTooLarge:
            self._refuse_body()

    def headerReceived(self, line: bytes) -> bool:
        try:
            return bool(super().headerReceived(line))
        except ValueError:  # a length of more digits than Python reads
            self._refuse_body()
            return False

    def checkPersistence(self, request: http.Request, version: bytes) -> bool:
        # Twisted reads the first field alone, and does not know that commas separate.
        fields = request.requestHeaders.getRawHeaders(b"Connection", ())
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
            super().timeoutConnection()

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
        self.transport.write(wire(replace(reply, headers=fields)))
        site.log_refused(self.transport.getPeer(), status)
        if ITCPTransport.providedBy(self.transport):
            self._lingering = self.callLater(LINGER, self.transport.abortConnection)
            self.transport.loseWriteConnection()
        else:
            self.loseConnection()


class GatewaySite(Site):
    """The server's factory: the root of the tree, and what all connections share.

    ``access_log`` takes one line for each request, answered or not, without the query.
    """

    protocol = GatewayChannel  # type: ignore[assignment]  # no HTTP/2, so no wrapper that could switch
    requestFactory = GatewayRequest

    def __init__(
        self,
        root: IResource,
        clock: IReactorTime,
        random: Random,
        access_log: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(root, reactor=clock, timeout=REQUEST_TIMEOUT, parsePOSTFormSubmission=False)
        self.channels: set[GatewayChannel] = set()
        self._clock = clock
        self._random = random
        self._access_log = access_log
        self._date = (0, b"")
        self._emptied: Deferred[None] | None = None

    def startFactory(self) -> None:
        """Nothing: Twisted would open a log and arm a timer of one second for its time stamps."""

    def stopFactory(self) -> None:
        """Nothing: see startFactory."""

    def getContentFile(self, length: int | None) -> BytesIO:
        # Twisted asks for this by name; it would write a chunked body of any size to a temporary file.
        return BytesIO()

    def log(self, request: http.Request, end: str = "") -> None:
        if self._access_log is not None:
            method, path = excerpt(request.method), excerpt(request.path, 1000)
            line = f"{request.client.host} {method} {path} {request.code} {request.sentLength}{end}"
            self._access_log(line)

    def log_refused(self, peer: Any, status: int) -> None:
        """A line for what was no request."""
        if self._access_log is not None:
            self._access_log(f"{peer.host} - - {status} -")

    def close(self) -> Deferred[None]:
        """Close all connections when what is written is out; fires after CLOSING seconds at the latest."""
        if not self.channels:
            return succeed(None)
        self._emptied = Deferred()
        for channel in list(self.channels):
            channel.loseConnection()
        return self._emptied.addTimeout(CLOSING, self._clock, lambda *_: None)

    def channel_lost(self, channel: GatewayChannel) -> None:
        """A connection is gone. Called by the channel."""
        self.channels.discard(channel)
        if self._emptied is not None and not self.channels and not self._emptied.called:
            self._emptied.callback(None)

    def date(self) -> bytes:
        """The value of the Date header now; made once a second."""
        now = int(self._clock.seconds())
        if now != self._date[0]:
            self._date = (now, datetimeToString(now))
        return self._date[1]

    def request_id(self) -> bytes:
        """A new value for X-Request-Id."""
        return b"%016x" % self._random.getrandbits(64)
