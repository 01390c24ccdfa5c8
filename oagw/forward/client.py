"""The connection to an upstream: sends one request and reports the response.

Each call has a connection of its own, as in the real gateway. ``forward.network`` connects,
``forward.response`` reads the bytes, ``forward.relay`` passes the response on.
"""

from typing import Any, Protocol

from twisted.internet import protocol
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.failure import Failure

from oagw.forward.response import ResponseError, ResponseReader, UpstreamHead

# The number of bytes that Twisted reads at once, and what is read at once from then on if as many arrive: a
# large body takes a quarter of the turns.
_READ, _READ_MORE = 64 << 10, 256 << 10


class Receiver(Protocol):
    """Who gets the response. The last call is ``done`` or ``failed``, which may come at any time."""

    def begun(self, head: UpstreamHead) -> None:
        """The head is complete."""

    def received(self, data: bytes) -> None:
        """``data`` is the next part of the body."""

    def read(self) -> None:
        """Nothing else has arrived for now."""

    def done(self) -> None:
        """The response is complete."""

    def failed(self, reason: Failure) -> None:
        """The response will not be complete."""


class UpstreamConnection(protocol.Protocol):
    """Sends ``request``, a head, and ``body``, and reports the response to ``receiver``."""

    transport: Any

    def __init__(self, request: bytes, receiver: Receiver, body: bytes = b"", bodiless: bool = False) -> None:
        self._request, self._body = request, body
        self._receiver: Receiver | None = receiver
        self._reader = ResponseReader(bodiless)

    def connectionMade(self) -> None:
        # The body is not copied; the transport joins small pieces.
        self.transport.writeSequence((self._request, self._body))
        self._request = self._body = b""

    def dataReceived(self, data: bytes) -> None:
        receiver, reader = self._receiver, self._reader
        if receiver is None:
            return
        if len(data) == _READ:
            self.transport.bufferSize = _READ_MORE
        begins = reader.head is None
        try:
            body = reader.feed(data)
        except ResponseError:
            self._fail(Failure())
            return
        if begins and reader.head is not None:
            receiver.begun(reader.head)
        if body and self._receiver is not None:
            receiver.received(body)
        if reader.done:
            self._complete()
        elif self._receiver is not None:
            receiver.read()

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        if self._receiver is None:
            return
        if reason.check(ConnectionDone) is None:
            self._fail(reason)
            return
        try:
            self._reader.end()
        except ResponseError:
            self._fail(Failure())
        else:
            self._complete()

    def pause(self) -> None:
        """Read no more until ``resume``."""
        self.transport.pauseProducing()

    def resume(self) -> None:
        """Read again."""
        self.transport.resumeProducing()

    def abort(self) -> None:
        """Close the connection at once; nothing is reported any more."""
        self._receiver = None
        if self.transport is not None:
            self.transport.abortConnection()

    def _complete(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            self.transport.abortConnection()  # nothing else is asked on it
            receiver.done()

    def _fail(self, reason: Failure) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            self.transport.abortConnection()
            receiver.failed(reason)


def send(endpoint: IStreamClientEndpoint, connection: protocol.Protocol) -> "Deferred[Any]":
    """Connect ``connection``. Cancelling stops connecting."""
    return endpoint.connect(_Only(connection))


class _Only(protocol.Factory[protocol.Protocol]):
    """Builds ``connection``, which does not know it, so that they do not refer to each other."""

    noisy = False

    def __init__(self, connection: protocol.Protocol) -> None:
        self._connection = connection

    def buildProtocol(self, addr: object) -> protocol.Protocol:
        return self._connection
