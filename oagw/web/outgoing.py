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

# A write of more than this number of bytes is neither joined with a head nor split, to avoid copies.
_LARGE = 262_144


class OutgoingChannel(HTTPChannel):
    """The responses on a connection."""

    site: Any  # a GatewaySite
    transport: ITCPTransport
    half_closed = False  # whether the client has closed its side of the connection
    outlet: Outlet | None = None  # the outlet of the current response
    late: "_Late | None" = None  # the end of the current response, if it waits for the delivery of the data
    _corked: list[bytes] | None  # the data written since ``cork``
    _held: bytes  # a response that is sent at the end of this turn of the reactor
    _descriptor: int | None  # that of the socket, if there is one
    _stopped: bool  # whether the transport may have been told not to read
    _unwritten: bytes  # the head of the current response, until the first data of its body

    @property
    def expects_more(self) -> bool:
        """Whether a part of the next request has been read."""
        return bool(self._buffer) or any(self._dataBuffer)

    @property
    def unsent(self) -> bool:
        """Whether the transport still holds data that was written."""
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
        """Whether the client has refused data, because it has closed the connection completely."""
        transport: Any = self.transport
        is_open = isinstance(transport, Connection) and bool(transport.connected)
        return is_open and _error_of(transport.socket) != 0

    def write(self, data: bytes) -> None:
        """Write ``data``, after the head if that is not written yet, through the outlet if there is one."""
        head, self._unwritten = self._unwritten, b""
        if head and len(data) > _LARGE:
            self.write(head)  # joining them would copy the data
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
        """Write ``data`` through the outlet. ``size`` bytes from offset ``start`` on belong to the body."""
        assert self.outlet is not None
        self.outlet.note_body(len(self._unwritten) + start, size)
        self.write(data)

    def send(self, data: bytes) -> None:
        """Send ``data`` now if no other data is waiting. Twisted would take two more iterations."""
        if self._held:
            data, self._held = self._held + data, b""
        transport: Any = self.transport
        direct = isinstance(transport, Connection)  # not a wrapper, such as TLS
        direct = direct and len(data) <= _LARGE  # splitting it would copy the data
        if not direct or self.unsent or transport.disconnecting or not transport.connected:
            transport.write(data)
            return
        try:
            sent = transport.socket.send(data)
        except OSError:
            sent = 0  # it cannot take more, or it is lost, which the reactor notices when it writes
        if sent < len(data):
            transport.write(data[sent:])

    def cork(self) -> None:
        """Buffer written data until ``uncork``, to send it in one piece."""
        if self.outlet is None:
            self._corked = []

    def uncork(self) -> None:
        """Send the data buffered since ``cork``."""
        pieces, self._corked = self._corked, None
        if pieces:
            self.send(b"".join(pieces))

    def end(self, request: Any, ending: Ending) -> None:
        """End the response to ``request`` early: close or reset the connection, or leave it open (HANG)."""
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
        """Write further data through ``outlet``, until it is removed."""
        self.outlet = outlet
        outlet.source, self._requestProducer = self._requestProducer, outlet

    def remove_outlet(self) -> None:
        """Write further data directly to the transport."""
        self.outlet = self._requestProducer = None
        self.site.stalled.discard(self)

    def is_out(self, request: Any) -> bool:
        """Note that the response to ``request`` is complete. Return whether its last byte has been sent.

        If not, ``requestDone`` is called again later. If the client has closed its side of the connection, it
        may have left. Then the response counts as sent only once its last byte is acknowledged.
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
        self.stopProducing()  # the transport calls this only while the channel is its producer
        if self.outlet is not None:
            self.outlet.lost()
            self.outlet = None
        if self.late is not None:
            self.site.ticker.forget(self.late)
        for request in self.requests:
            if request.finished:  # but its last byte was not sent
                request.end_entry(self, CLIENT_LEFT)
        super().connectionLost(reason)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Register the source of a response, and pause it now if necessary."""
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
        """Write the head of the response now, if it is still waiting for the body."""
        if self._unwritten:
            self.write(b"")

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Keep the head of a response, to write it together with the first data of the body."""
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
    """Waits until all written data is delivered. As overdue work, it checks every few milliseconds."""

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
    """Resets a connection. An earlier reset would drop data that the transport or the system still holds."""

    def delivered(self) -> None:
        self.channel.end(self.request, Ending.RESET)


class _LateEnd(_Late):
    """Completes the response to a client that has closed its side of the connection."""

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
