"""PipelinedChannel: holds pipelined requests back, so that each is handled in its own turn of the reactor.

The first request that arrives is handled at once. If others follow it when it is answered, the connection
queues in ``web.turns``; if the client does not read, it queues when the client reads again. ``web.channel``
reads the requests.
"""

from typing import Any

from twisted.internet.tcp import Connection
from twisted.logger import Logger

from oagw.model.entry import Entry
from oagw.web.arrivals import OPENED_FOR
from oagw.web.outgoing import OutgoingChannel
from oagw.web.site import GatewaySite

log = Logger()


class PipelinedChannel(OutgoingChannel):
    """The order of the requests on a connection.

    While ``paused``, it leaves received data unread.
    """

    site: GatewaySite
    _earlier: int | None  # see ``precede``
    _made: tuple[int, float] | None  # see ``_note_opened``

    def follow(self, position: int) -> None:
        """Record that pipelined requests were sent before the previous answer ended, at ``position``."""
        if self.expects_more:
            self.precede(position)

    def precede(self, position: int) -> None:
        """Record that the next request arrived at ``position`` or before.

        If a request is still unanswered, the next one counts as sent together with it.
        """
        if self._earlier is None:
            entry: Entry | None = self.requests[0].entry if self.requests else None
            self._earlier = position if entry is None else min(position, entry.arrived)

    def _note_opened(self) -> None:
        """Note when the connection was opened, as a position and in seconds, for the first request."""
        transport: Any = self.transport
        self._descriptor = transport.fileno() if isinstance(transport, Connection) else None
        position = self.site.arrivals.opened(self, self._descriptor)
        self._made = (position, self.site.now())
        self._earlier = None

    def _arrived(self) -> int:
        """Return the position at which the current request arrived; its head is now complete."""
        arrived, self._earlier = self._earlier or self.site.position(), None
        if self._made is not None:
            position, opened = self._made
            self._made = None
            if self.site.now() - opened <= OPENED_FOR:
                return position
        return arrived

    def readConnectionLost(self) -> None:
        """Handle the client's FIN. The client may still read, so it gets all its answers.

        A response without an end is ended, because a client that has closed altogether looks the same.
        """
        self.half_closed = True
        if self.requests and self._handlingRequest:
            request: Any = self.requests[0]
            request.entry.half_close()
            if request.endless:
                self.transport.abortConnection()
        elif not self.paused:  # take_turn calls this again
            self.loseConnection()

    def take_turn(self) -> None:
        """Handle the next request that was held back. Called by Turns."""
        self.site.departures.release()  # they need not wait for this request, too
        if self._waitingForTransport:
            self.site.turns.stall(self)
            return
        self.paused = False
        self.resetTimeout()
        try:
            self.dataReceived(b"")
        except Exception:
            log.failure("a pipelined request failed")
            self.transport.abortConnection()
        if self.paused:
            return
        if self.half_closed:
            self.readConnectionLost()
        elif not self._waitingForTransport:
            self._resume_reading()

    def _hold_requests(self) -> None:
        """Wait for the client to read, then for a turn, before more is read."""
        transport: Any = self.transport
        if self.unsent and not self._waitingForTransport:
            transport.producerPaused = True  # so that it calls resumeProducing when everything is sent
            self.pauseProducing()
        if self._waitingForTransport:
            self.site.turns.stall(self)
        else:
            self.site.turns.wait(self)
        self._limit_read_ahead()

    def _drop_requests(self) -> None:
        """Drop the requests that are held back."""
        if self.paused:
            self.site.turns.forget(self)
            self.clearLineBuffer()

    def _limit_read_ahead(self) -> None:
        if self._waitingForTransport or len(self._buffer) > self._optimisticEagerReadSize:
            self._stopped = True
            self._networkProducer.pauseProducing()

    def _resume_reading(self) -> None:
        if sum(map(len, self._dataBuffer)) <= self._optimisticEagerReadSize:
            self._networkProducer.resumeProducing()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self.paused:
            self.site.turns.wait(self)
            self._limit_read_ahead()

    def loseConnection(self) -> None:
        self._drop_requests()
        self.persistent = False
        super().loseConnection()
