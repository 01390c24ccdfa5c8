"""MemoryTransport: one end of a connection in memory, which behaves as one of a TCP socket.

Twisted's own FileDescriptor has the buffer, the producers and the ways to close. This adds what a kernel
does: it buffers a bounded amount of data that the other end has not read, and distinguishes an orderly end
(FIN) from a reset (RST). ``reactor`` transfers the data.
"""

from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, ITCPTransport
from twisted.python.failure import Failure
from zope.interface import implementer

# The largest number of bytes that wait until an end reads them, as in the buffers of a kernel.
CAPACITY = 65536


@implementer(ITCPTransport)
class MemoryTransport(FileDescriptor):
    """One end of a connection; ``other`` is the other end."""

    reactor: Any
    other: "MemoryTransport"
    protocol: Any

    def __init__(self, reactor: Any, host: IPv4Address, peer: IPv4Address) -> None:
        super().__init__(reactor)
        self._host = host
        self._peer = peer
        self._arrived = bytearray()  # sent by the other end, and not read
        self._end: ConnectionLost | ConnectionDone | None = None  # how the other end ended, after that data
        self._is_busy = False  # whether the protocol is being called

    def connect(self, protocol: Any) -> None:
        """Begin to serve ``protocol``."""
        self.protocol = protocol
        self.connected = 1
        self.startReading()
        protocol.makeConnection(self)

    @property
    def can_read(self) -> bool:
        """Whether ``doRead`` would do anything."""
        return not self._is_busy and (bool(self._arrived) or self._end is not None)

    @property
    def can_write(self) -> bool:
        """Whether ``doWrite`` would do anything."""
        has_data = self.offset < len(self.dataBuffer) or bool(self._tempDataLen)
        return not has_data or not self.other.connected or len(self.other._arrived) < CAPACITY

    def doRead(self) -> Exception | None:
        if not self._arrived:
            return self._end
        data, self._arrived = bytes(self._arrived), bytearray()
        self._is_busy = True
        try:
            self.protocol.dataReceived(data)
        finally:
            self._is_busy = False
        return None

    def writeSomeData(self, data: bytes) -> int | BaseException:
        if not self.other.connected:
            return ConnectionLost("the other end has closed the connection")
        piece = data[: CAPACITY - len(self.other._arrived)]
        self.other._arrived += piece
        return len(piece)

    def _closeWriteConnection(self) -> None:
        self.other._ends(ConnectionDone())
        protocol = IHalfCloseableProtocol(self.protocol, None)
        if protocol is not None:
            protocol.writeConnectionLost()

    def readConnectionLost(self, reason: Failure) -> None:
        protocol = IHalfCloseableProtocol(self.protocol, None)
        if protocol is None:
            self.connectionLost(reason)
        else:
            protocol.readConnectionLost()

    def abortConnection(self) -> None:
        """Reset the connection. The other end reads what was written before, and then a ConnectionAborted."""
        if not self.connected:
            return
        self.other._arrived += self.dataBuffer[self.offset :] + b"".join(self._tempDataBuffer)
        self.connected = 0
        self.stopReading()
        self.stopWriting()
        self.other._ends(ConnectionAborted())
        self.reactor.callLater(0, self.connectionLost, Failure(ConnectionAborted()))

    def connectionLost(self, reason: Failure) -> None:
        if self.disconnected:
            return
        if self.connected:
            # A kernel resets a connection that is closed with unread data.
            self.other._ends(ConnectionLost() if self._arrived else ConnectionDone())
        super().connectionLost(reason)
        self.protocol.connectionLost(reason)

    def _ends(self, how: ConnectionLost | ConnectionDone) -> None:
        if not isinstance(self._end, ConnectionLost):
            self._end = how

    def getHost(self) -> IPv4Address:
        return self._host

    def getPeer(self) -> IPv4Address:
        return self._peer

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Do nothing: data is never held back."""

    def getTcpNoDelay(self) -> bool:
        return True

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Do nothing: nothing can happen to the connection."""

    def getTcpKeepAlive(self) -> bool:
        return False
