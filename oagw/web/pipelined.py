"""PipelinedChannel: holds pipelined requests back, so that each has a turn of the reactor of its own.

The first request of what arrives is handled at once. If there is more behind it when it is answered, the
connection queues up in ``web.turns``; if its client does not read, not before it does. ``web.channel`` reads
the requests.
"""

from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from oagw.web.outgoing import OutgoingChannel

if TYPE_CHECKING:
    from oagw.web.site import GatewaySite

log = Logger()


class PipelinedChannel(OutgoingChannel):
    """One connection, as far as the order of its requests goes.

    While ``paused``, which LineReceiver heeds, what has arrived is not read on.
    """

    site: "GatewaySite"
    _half_closed = False  # whether the client has said that it sends no more

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
