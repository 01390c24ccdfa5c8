"""GatewaySite: what all connections of a server share.

``web.channel`` is a connection, ``web.request`` a request on it, ``web.resource`` the tree that comes next.
"""

from collections.abc import Callable
from io import BytesIO
from itertools import count
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.web import http
from twisted.web.http import datetimeToString
from twisted.web.resource import IResource
from twisted.web.server import Site

from oagw.sandboxes import Sandboxes
from oagw.web.arrivals import Arrivals
from oagw.web.channel import REQUEST_TIMEOUT, GatewayChannel
from oagw.web.reply import masked_excerpt
from oagw.web.request import GatewayRequest
from oagw.web.stream import Streams
from oagw.web.turns import Turns

# Seconds that connections get to close when the server stops; a client that does not read would take for
# ever.
CLOSING = 0.1


class GatewaySite(Site):
    """The server's factory: the root of the tree, and what all connections share.

    Time-outs and durations run on ``clock``; ``wall`` is the date in seconds since 1970. What has to do with
    real networks, such as the time that connections get to close, runs on ``real``: the same clock, unless
    that one is moved by hand. ``access_log`` takes one line for each request, answered or not, without the
    query, the credentials of the request, and ``secrets``: the tokens of the server.
    """

    protocol = GatewayChannel  # type: ignore[assignment]  # no HTTP/2, so no wrapper that could switch
    requestFactory = GatewayRequest

    def __init__(
        self,
        root: IResource,
        clock: IReactorTime,
        random: Random,
        sandboxes: Sandboxes,
        streams: Streams,
        access_log: Callable[[str], None] | None = None,
        real: IReactorTime | None = None,
        secrets: tuple[str, ...] = (),
        wall: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(root, reactor=clock, timeout=REQUEST_TIMEOUT, parsePOSTFormSubmission=False)
        self.channels: set[GatewayChannel] = set()
        self.sandboxes = sandboxes
        self.secrets = secrets
        self.streams = streams
        self.now: Callable[[], float] = clock.seconds
        self.number: Callable[[], int] = count(1).__next__  # of a request
        self._connection: Callable[[], int] = count(1).__next__
        self.real = real or clock
        self.wall: Callable[[], float] = wall or clock.seconds
        self.arrivals = Arrivals(self, self.real)
        self.position = self.arrivals.position
        self.turns = Turns(self.real)  # of connections with pipelined requests
        self.random = random
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
            path = masked_excerpt(request, request.path, 1000)
            method = masked_excerpt(request, request.method)
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
        return self._emptied.addTimeout(CLOSING, self.real, lambda *_: None)

    def channel_made(self, channel: GatewayChannel) -> int:
        """A connection is there; returns its number. Called by the channel."""
        self.channels.add(channel)
        return self._connection()

    def channel_lost(self, channel: GatewayChannel) -> None:
        """A connection is gone. Called by the channel."""
        self.channels.discard(channel)
        if self._emptied is not None and not self.channels and not self._emptied.called:
            self._emptied.callback(None)

    def date(self) -> bytes:
        """The value of the Date header now; made once a second."""
        now = int(self.wall())
        if now != self._date[0]:
            self._date = (now, datetimeToString(now))
        return self._date[1]

    def request_id(self) -> bytes:
        """A new value for X-Request-Id."""
        return b"%016x" % self.random.getrandbits(64)
