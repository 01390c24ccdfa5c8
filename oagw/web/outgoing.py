"""OutgoingChannel: writes responses to a connection, and knows how much is still unsent.

``web.pipelined`` adds the order of requests, ``web.channel`` reads them.
"""

import sys
from collections.abc import Iterable
from socket import SO_ERROR, SOL_SOCKET, socket
from typing import Any

from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers

from oagw.model.ending import Ending
from oagw.model.entry import CLIENT_LEFT, COMPLETE
from oagw.web.outlet import Outlet

# Bytes of a write from which on it is handed to the transport as it is, neither joined to a head nor cut.
_LARGE = 262_144


class OutgoingChannel(HTTPChannel):
    """The responses on a connection."""

    site: Any  # a GatewaySite
    transport: ITCPTransport
    half_closed = False  # whether the client has said that it sends no more
    outlet: Outlet | None = None  # of the response that is being written
    late: "_Late | None" = None  # the end of a response that waits for its delivery
    _corked: list[bytes] | None  # what was written to be sent in one piece
    _held: bytes  # a response that is sent at the end of this turn of the reactor
    _descriptor: int | None  # of the socket, if there is one
    _stopped: bool  # whether the transport may have been told not to read
    _unwritten: bytes  # the head of a response that waits for the first of its body

    @property
    def expects_more(self) -> bool:
        """Whether a part of the next request has been read."""
        return bool(self._buffer) or any(self._dataBuffer)

    @property
    def unsent(self) -> bool:
        """Whether the transport still holds written data."""
        transport: Any = self.transport
        return isinstance(transport, Connection) and bool(transport._tempDataLen or transport.dataBuffer)

    @property
    def undelivered(self) -> bool:
        """Whether the peer has not acknowledged all written data, as far as is known."""
        return self.unsent or (
            isinstance(self.transport, Connection) and _in_kernel(self.transport.fileno()) > 0
        )

    @property
    def refuses(self) -> bool:
        """Whether the client has refused what was written, because it closed its connection altogether."""
        transport: Any = self.transport
        is_open = isinstance(transport, Connection) and bool(transport.connected)
        return is_open and _error_of(transport.socket) != 0

    def write(self, data: bytes) -> None:
        """Write ``data`` behind the head that may still wait, through the outlet if there is one."""
        head, self._unwritten = self._unwritten, b""
        if head and len(data) > _LARGE:
            self.write(head)  # to join them would copy them
        else:
            data = head + data
        if self.outlet is not None:
            self.outlet.write(data)
        elif self._corked is not None:
            self._corked.append(data)
        else:
            self.send(data)

    def send_whole(self, head: bytes, body: bytes, at_once: bool) -> None:
        """Send a whole response, to which no toxics apply, now or with those on other connections.

        If it fails, it is sent ``at_once``: what arrives from now on may be the client's next try.
        """
        if len(body) > _LARGE:
            self.send(head + b"\r\n\r\n")
            self.send(body)
            return
        data = b"%b\r\n\r\n%b" % (head, body)
        site = self.site
        alone = len(site.channels) == 1 or self._descriptor is None
        if alone or at_once or self.half_closed or not self.persistent or self.expects_more:
            self.send(data)
        else:
            self._held += data
            site.departures.add(self)

    def release(self) -> None:
        """Send the response that is held, if there is one. Called by Departures."""
        if self._held:
            self.send(b"")

    def write_body(self, data: bytes, start: int, size: int) -> None:
        """Write ``data`` through the outlet; ``size`` bytes of it from ``start`` on are of the body."""
        assert self.outlet is not None
        self.outlet.note_body(len(self._unwritten) + start, size)
        self.write(data)

    def send(self, data: bytes) -> None:
        """Send ``data`` at once if nothing waits before it. Twisted would take two more turns."""
        if self._held:
            data, self._held = self._held + data, b""
        transport: Any = self.transport
        direct = isinstance(transport, Connection)  # and nothing wrapped around one, such as TLS
        direct = direct and len(data) <= _LARGE  # to cut it would copy it
        if not direct or self.unsent or transport.disconnecting or not transport.connected:
            transport.write(data)
            return
        try:
            sent = transport.socket.send(data)
        except OSError:
            sent = 0  # it cannot take more, or it is lost: the reactor finds out which when it tries
        if sent < len(data):
            transport.write(data[sent:])

    def cork(self) -> None:
        """Hold written data until ``uncork``, to send it in one piece."""
        if self.outlet is None:
            self._corked = []

    def uncork(self) -> None:
        """Send the data held since ``cork``."""
        pieces, self._corked = self._corked, None
        if pieces:
            self.send(b"".join(pieces))

    def end(self, request: Any, ending: Ending) -> None:
        """End the response to ``request`` with the connection (TRUNCATE, RESET) or its client (HANG)."""
        if ending is Ending.HANG:
            request.endless = True
            if self.half_closed:
                self.transport.abortConnection()
            return
        if ending is Ending.RESET and self.undelivered:
            self.late = _LateReset(self, request)
            self.late.wait()
            return
        self.site.arrivals.before_failure()
        request.entry.ends(ending)
        if ending is Ending.RESET:
            self.transport.abortConnection()
        else:
            self.loseConnection()

    def insert_outlet(self, outlet: Outlet) -> None:
        """Write what follows through ``outlet``, until it is removed."""
        self.outlet = outlet
        outlet.source, self._requestProducer = self._requestProducer, outlet

    def remove_outlet(self) -> None:
        """Write to the transport again."""
        self.outlet = self._requestProducer = None
        self.site.stalled.discard(self)

    def is_out(self, request: Any) -> bool:
        """Note that the response to ``request`` is complete; whether its last byte is out, or on its way.

        If not, ``requestDone`` is called again when it is. A client that has closed its side may be gone: the
        answer is out when its system has acknowledged the last byte.
        """
        if self.outlet is not None:
            self.outlet.end(COMPLETE)
            return False
        if self.half_closed and self.refuses:
            self.transport.abortConnection()
            return False
        if self.half_closed and self.undelivered:
            self.late = _LateEnd(self, request)
            self.late.wait()
            return False
        request.end_entry(self, COMPLETE)
        return True

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.stalled.discard(self)
        self.stopProducing()  # the transport does this only as long as the channel is its producer
        if self.outlet is not None:
            self.outlet.lost()
            self.outlet = None
        if self.late is not None:
            self.site.ticker.forget(self.late)
        for request in self.requests:
            if request.finished:  # and its last byte is not out
                request.end_entry(self, CLIENT_LEFT)
        super().connectionLost(reason)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Register the source of a response; it is paused at once if it has to wait."""
        outlet = self.outlet
        if outlet is not None:
            self._requestProducer = None
        super().registerProducer(producer, streaming)
        source: Any = self._requestProducer
        if outlet is not None:
            outlet.source, self._requestProducer = source, outlet
        if self._waitingForTransport:
            self.site.stalled.add(self)
        if self._waitingForTransport or (outlet is not None and outlet.wants_pause):
            source.pauseProducing()

    def unregisterProducer(self) -> None:
        outlet = self.outlet
        if outlet is None:
            super().unregisterProducer()
            self.site.stalled.discard(self)
        else:
            self._requestProducer, outlet.source = outlet.source, None
            super().unregisterProducer()
            self._requestProducer = outlet

    def pauseProducing(self) -> None:
        if self._requestProducer is not None:
            self.site.stalled.add(self)
        self._stopped = True
        super().pauseProducing()

    def resumeProducing(self) -> None:
        self.site.stalled.discard(self)
        super().resumeProducing()

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def flush(self) -> None:
        """Write the head of a response that still waits for a body."""
        if self._unwritten:
            self.write(b"")

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Write the head of a response with the first of its body."""
        pieces = [version, b" ", code, b" ", reason]
        for name, values in headers.getAllRawHeaders():
            for value in values:
                pieces += (b"\r\n", name, b": ", value)
        head = b"".join(pieces)
        if self.outlet is None:
            self.requests[0].entry.head_sent(head)
        else:
            self.outlet.note_head(head)
        self._unwritten = head + b"\r\n\r\n"


class _Late:
    """Waits until all that was written is delivered; as overdue work it has a turn every few milliseconds."""

    def __init__(self, channel: OutgoingChannel, request: Any) -> None:
        self.tick: int | None = None  # see Ticker
        self.channel = channel
        self.request = request

    def wait(self) -> None:
        ticker = self.channel.site.ticker
        now = ticker.clock.seconds()
        ticker.wait(self, now, now)

    def wake(self, now: float) -> int:
        channel = self.channel
        if channel.half_closed and channel.refuses:
            channel.transport.abortConnection()
        elif channel.undelivered:
            self.wait()
        else:
            self.delivered()
        return 1

    def delivered(self) -> None:
        raise NotImplementedError


class _LateReset(_Late):
    """Resets a connection: an abort before would drop what the transport and the system still hold."""

    def delivered(self) -> None:
        self.channel.end(self.request, Ending.RESET)


class _LateEnd(_Late):
    """Ends the response to a client that has closed its side, if it is still there."""

    def delivered(self) -> None:
        self.channel.requestDone(self.request)


def _in_kernel(descriptor: int) -> int:
    """Return the number of bytes that the peer has not acknowledged, or 0 if unknown."""
    try:
        from fcntl import ioctl
        from termios import TIOCOUTQ

        queued = ioctl(descriptor, TIOCOUTQ, bytes(4))
    except (ImportError, OSError, ValueError):
        return 0
    return int.from_bytes(queued, sys.byteorder)


def _error_of(connection: socket) -> int:
    """Return the pending error of ``connection``, or 0."""
    try:
        return connection.getsockopt(SOL_SOCKET, SO_ERROR)
    except OSError as error:
        return error.errno or 1
