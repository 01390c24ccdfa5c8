"""PipelinedChannel: holds pipelined requests back, so that each has a turn of the reactor of its own.

The first request of what arrives is handled at once. If there is more behind it when it is answered, the
connection queues up in ``web.turns``; if its client does not read, not before it does. ``web.channel`` reads
the requests.
"""

from typing import Any

from twisted.internet.tcp import Connection
from twisted.logger import Logger

from oagw.model.journal import Entry
from oagw.web.arrivals import OPENED_FOR
from oagw.web.outgoing import OutgoingChannel
from oagw.web.site import GatewaySite

log = Logger()


class PipelinedChannel(OutgoingChannel):
    """One connection, as far as the order of its requests goes, among themselves and those of others.

    While ``paused``, which LineReceiver heeds, what has arrived is not read on.
    """

    site: GatewaySite
    _earlier: int | None  # see ``precede``
    _made: tuple[int, float] | None  # see ``_note_opened``
    _version: bytes  # of the request that is being read, as soon as its first line is there
    _half_closed = False  # whether the client has said that it sends no more

    @property
    def expects_more(self) -> bool:
        """Whether a part of the next request is read already."""
        reading = not self.requests and bool(self._version)
        return reading or bool(self._buffer) or any(self._dataBuffer)

    def follow(self, position: int) -> None:
        """Have what is pipelined count as sent before its predecessor's answer was over, at ``position``."""
        if self.expects_more:
            self.precede(position)

    def precede(self, position: int) -> None:
        """Have the next request count as arrived at ``position``: it was, or may have been, sent before.

        Behind a request that is not answered yet it counts as sent with that one.
        """
        if self._earlier is None:
            entry: Entry | None = self.requests[0].entry if self.requests else None
            self._earlier = position if entry is None else min(position, entry.arrived)

    def _note_opened(self) -> None:
        """Note when the connection was opened, as a position and in seconds, until there is a request."""
        transport: Any = self.transport
        self._descriptor: int | None = transport.fileno() if isinstance(transport, Connection) else None
        position = self.site.arrivals.opened(self, self._descriptor)
        self._made = (position, self.site.now())
        self._earlier = None

    def _arrived(self) -> int:
        """The position at which the request arrived whose head is complete now."""
        arrived, self._earlier = self._earlier or self.site.position(), None
        if self._made is not None:
            position, opened = self._made
            self._made = None
            if self.site.now() - opened <= OPENED_FOR:
                return position
        return arrived

    def readConnectionLost(self) -> None:
        """The client sends no more, but may well read what it has asked for.

        Requests that are held back are answered first. A stream ends: a client that has left looks the same.
        """
        self._half_closed = True
        if self._requestProducer is not None:
            self.transport.abortConnection()
        elif not self.paused:  # take_turn calls this again
            self.loseConnection()

    def take_turn(self) -> None:
        """Handle the next of the requests that were held back. Called by Turns."""
        if self._waitingForTransport:
            self.site.turns.stall(self)
            return
        self.paused = False
        self.resetTimeout()
        try:
            self.dataReceived(b"")
        except Exception:
            log.failure("a request that was held back broke")
            self.transport.abortConnection()
        if self.paused:
            return
        if self._half_closed:
            self.readConnectionLost()
        elif not self._waitingForTransport:
            self._resume_reading()

    def _hold_requests(self) -> None:
        """Wait for a turn before what has arrived is read on, and first for the client to read."""
        transport: Any = self.transport
        if self.unsent and not self._waitingForTransport:
            transport.producerPaused = True  # have it call resumeProducing when all is sent
            self.pauseProducing()
        if self._waitingForTransport:
            self.site.turns.stall(self)
        else:
            self.site.turns.wait(self)
        self._limit_read_ahead()

    def _drop_requests(self) -> None:
        """Forget the requests that are held back."""
        if self.paused:
            self.site.turns.forget(self)
            self.clearLineBuffer()

    def _limit_read_ahead(self) -> None:
        if self._waitingForTransport or len(self._buffer) > self._optimisticEagerReadSize:
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
