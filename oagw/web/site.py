"""GatewaySite: the factory of connections at a port, and the state that they share.

``web.channel`` is a connection, ``web.request`` a request on it, ``web.resource`` the tree of resources.
"""

from collections.abc import Callable
from io import BytesIO
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.web import http
from twisted.web.http import datetimeToString
from twisted.web.resource import IResource
from twisted.web.server import Site

from oagw.model.entrance import Entrance
from oagw.timing.ticker import Ticker
from oagw.web.arrivals import Arrivals
from oagw.web.departures import Departures
from oagw.web.outgoing import OutgoingChannel
from oagw.web.outlet import Outlet
from oagw.web.turns import Turns

# Seconds that a connection may idle, and that a request may take from its first byte to its last.
REQUEST_TIMEOUT = 60.0

# Seconds that connections get to close when the server stops; a client that does not read would take for
# ever.
CLOSING = 0.1


class GatewaySite(Site):
    """Makes connections, and holds the root of the tree and the state that connections share.

    ``protocol`` makes a connection. Requests come in at ``entrance``, in the order that ``arrivals`` notes.
    ``mock_fault`` reads the value of X-OAGW-Mock-Fault and raises Invalid. ``outlet_for`` is called at the
    first byte of each response to a request, and gives its outlet if it has one. ``stalled`` are connections
    with a response that waits for its client to read.

    Time-outs and durations run on ``clock``; ``wall`` is the date in seconds since 1970. What has to do with
    real networks, such as the time that connections get to close, runs on ``real``: the same clock, unless
    that one is moved by hand.
    """

    def __init__(
        self,
        root: IResource,
        protocol: type[OutgoingChannel],
        clock: IReactorTime,
        random: Random,
        ticker: Ticker,
        entrance: Entrance,
        arrivals: Arrivals,
        mock_fault: Callable[[str], tuple[Any, ...]],
        outlet_for: Callable[[Any], Outlet | None],
        real: IReactorTime | None = None,
        wall: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(root, reactor=clock, timeout=REQUEST_TIMEOUT, parsePOSTFormSubmission=False)
        self.requestFactory = protocol.requestFactory  # type: ignore[assignment]
        self.protocol = protocol  # type: ignore[assignment]  # no HTTP/2, so no wrapper that could switch
        self.channels: set[OutgoingChannel] = set()
        self.ticker = ticker
        self.entrance = entrance
        self.mock_fault = mock_fault
        self.outlet_for = outlet_for
        self.stalled: set[OutgoingChannel] = set()
        self.now: Callable[[], float] = clock.seconds
        self.real = real or clock
        self.wall: Callable[[], float] = wall or clock.seconds
        self.arrivals = arrivals
        self.position = arrivals.position
        self.turns = Turns(self.real)  # of connections with pipelined requests
        self.departures = Departures(self.real)  # of responses that are sent together
        self.random = random
        self._date = (0, b"")
        self._emptied: Deferred[None] | None = None

    def startFactory(self) -> None:
        """Do nothing. Twisted would open a log and start a timer of one second for its time stamps."""

    def stopFactory(self) -> None:
        """Do nothing; see startFactory."""

    def getContentFile(self, length: int | None) -> BytesIO:
        # Twisted asks for this by name; it would write a chunked body of any size to a temporary file.
        return BytesIO()

    def log(self, request: http.Request) -> None:
        """Do nothing. The access log is an observer of entries."""

    def close(self) -> Deferred[None]:
        """Close all connections after their data is sent. The Deferred fires within CLOSING seconds."""
        if not self.channels:
            return succeed(None)
        self._emptied = Deferred()
        for channel in list(self.channels):
            channel.loseConnection()
        return self._emptied.addTimeout(CLOSING, self.real, lambda *_: None)

    def channel_made(self, channel: OutgoingChannel) -> int:
        """Register a new connection and return its number. Called by the channel."""
        self.channels.add(channel)
        return self.entrance.connection_number()

    def channel_lost(self, channel: OutgoingChannel) -> None:
        """Unregister a connection. Called by the channel."""
        self.channels.discard(channel)
        if self._emptied is not None and not self.channels and not self._emptied.called:
            self._emptied.callback(None)

    def date(self) -> bytes:
        """Return the current value of Date, which is formatted once a second."""
        now = int(self.wall())
        if now != self._date[0]:
            self._date = (now, datetimeToString(now))
        return self._date[1]

    def request_id(self) -> bytes:
        """Return a new value for X-Request-Id."""
        return b"%016x" % self.random.getrandbits(64)
