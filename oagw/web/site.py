"""GatewaySite: the factory of connections, and the state that they share.

``web.channel`` has a connection, ``web.request`` a request on it, ``web.resource`` the base of resources.
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

from oagw.model.draws import nanoid
from oagw.model.entrance import Entrance
from oagw.timing.ticker import Ticker
from oagw.web.arrivals import Arrivals
from oagw.web.departures import Departures
from oagw.web.outgoing import OutgoingChannel
from oagw.web.outlet import Outlet
from oagw.web.turns import Turns

# The time limits of an idle connection, and of a request from its first byte to its last, in seconds.
REQUEST_TIMEOUT = 60.0

# The time limit for closing connections when the server stops, in seconds. A client that does not read would
# take forever.
CLOSING = 0.1


class GatewaySite(Site):
    """Creates connections. It has the ``root`` of the resources, and the state that connections share.

    - ``protocol``: creates a connection
    - ``clock``: measures timeouts and durations; ``wall``: returns the date in seconds since 1970
    - ``real``: measures what depends on the network, such as CLOSING; it differs from ``clock`` only if
      that is moved by hand
    - ``entrance``: opens the entry of each request; ``arrivals``: records their order
    - ``mock_fault``: parses the value of X-OAGW-Mock-Fault; raises Invalid
    - ``outlet_for``: called at the first byte of each response, returns its outlet or None
    - ``body_limit``: the largest body of a request, in bytes

    ``stalled`` has the connections with a response that waits for the client to read.
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
        real: IReactorTime,
        wall: Callable[[], float],
        body_limit: int,
    ) -> None:
        super().__init__(root, reactor=clock, timeout=REQUEST_TIMEOUT, parsePOSTFormSubmission=False)
        self.requestFactory = protocol.requestFactory  # type: ignore[assignment]
        self.protocol = protocol  # type: ignore[assignment]  # without Twisted's wrapper that may switch to HTTP/2
        self.channels: set[OutgoingChannel] = set()
        self.ticker = ticker
        self.entrance = entrance
        self.mock_fault = mock_fault
        self.outlet_for = outlet_for
        self.stalled: set[OutgoingChannel] = set()
        self.now: Callable[[], float] = clock.seconds
        self.real = real
        self.wall = wall
        self.body_limit = body_limit
        self.arrivals = arrivals
        self.position = arrivals.position
        self.turns = Turns(self.real)  # for connections with pipelined requests
        self.departures = Departures(self.real)  # for responses that are sent together
        self.random = random
        self._date = (0, b"")
        self._emptied: Deferred[None] | None = None

    def startFactory(self) -> None:
        """Do nothing. Twisted would open a log, and start a timer that ticks every second for its dates."""

    def stopFactory(self) -> None:
        """Do nothing; see startFactory."""

    def getContentFile(self, length: int | None) -> BytesIO:
        # Twisted calls this by name. Its own version writes a chunked body of any size to a temporary file.
        return BytesIO()

    def log(self, request: http.Request) -> None:
        """Do nothing. The access log is an observer of entries."""

    def close(self) -> Deferred[None]:
        """Close all connections after their data is sent. The returned Deferred fires within CLOSING."""
        for channel in list(self.channels):
            for request in channel.requests[:1]:  # the others are not being answered
                if request.stopping is not None:
                    request.stopping()
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
        return nanoid(self.random.getrandbits(128))
