"""OutgoingChannel: how a connection writes, and how much of it is still on its way.

``web.pipelined`` adds the order of requests, ``web.channel`` the reading of them.
"""

import sys
from collections.abc import Iterable
from typing import Any

from twisted.internet.interfaces import ITCPTransport
from twisted.internet.tcp import Connection
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers

# Bytes of an answer from which on it is handed to the transport as it is, rather than sent in one piece with
# its head.
_LARGE = 262_144


class OutgoingChannel(HTTPChannel):
    """One connection, as far as its answers go."""

    transport: ITCPTransport
    _unwritten: bytes  # the head of a response that waits for the first of its body

    @property
    def congested(self) -> bool:
        """Whether the client does not read, so that the transport asks for silence."""
        return bool(self._waitingForTransport)

    @property
    def unsent(self) -> bool:
        """Whether the transport still holds something that was written."""
        transport: Any = self.transport
        return isinstance(transport, Connection) and bool(transport._tempDataLen or transport.dataBuffer)

    @property
    def undelivered(self) -> bool:
        """Whether something that was written is still on this side, as far as the system tells."""
        return self.unsent or (
            isinstance(self.transport, Connection) and _in_kernel(self.transport.fileno()) > 0
        )

    def write(self, data: bytes) -> None:
        """Send at once what nothing waits before; Twisted's way would take the reactor two more turns."""
        head, self._unwritten = self._unwritten, b""
        transport: Any = self.transport
        if len(data) > _LARGE:
            # Neither joined to the head nor cut: each would copy it.
            if head:
                self.write(head)
            transport.write(data)
            return
        data = head + data
        direct = isinstance(transport, Connection)  # and nothing wrapped around one, such as TLS
        if not direct or self.unsent or transport.disconnecting or not transport.connected:
            transport.write(data)
            return
        sent = transport.writeSomeData(data)
        if not isinstance(sent, int):
            sent = 0  # the connection is lost; the reactor finds out when it tries
        if sent < len(data):
            transport.write(data[sent:])

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def flush(self) -> None:
        """Write the head of a response that still waits for a body."""
        if self._unwritten:
            self.write(b"")

    def take_head(self) -> bytes:
        """The head of a response that waits for a body, which is not written then."""
        head, self._unwritten = self._unwritten, b""
        return head

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Write the head of a response with the first of its body.

        One that is withheld waits for ``take_head``.
        """
        pieces = [version, b" ", code, b" ", reason]
        for name, values in headers.getAllRawHeaders():
            for value in values:
                pieces += (b"\r\n", name, b": ", value)
        head = b"".join(pieces)
        request = self.requests[0]
        if not request.withheld:
            request.entry.head_sent(head)
        self._unwritten = head + b"\r\n\r\n"


def _in_kernel(descriptor: int) -> int:
    """Bytes that the other side of a connection has not acknowledged; 0 where the system does not tell."""
    try:
        from fcntl import ioctl
        from termios import TIOCOUTQ

        queued = ioctl(descriptor, TIOCOUTQ, bytes(4))
    except (ImportError, OSError, ValueError):
        return 0
    return int.from_bytes(queued, sys.byteorder)
