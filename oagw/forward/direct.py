"""Direct: connects to an IP address.

Twisted's endpoints do the same, but leave objects that refer to each other. Each call makes a connection, so
that the garbage collector would stop all calls again and again, for milliseconds.
"""

from typing import Any

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import IAddress, IConnector, IReactorTCP, IStreamClientEndpoint
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IStreamClientEndpoint)
class DirectEndpoint:
    """Connects to the IP address ``host``."""

    def __init__(self, reactor: IReactorTCP, host: str, port: int, timeout: float) -> None:
        self._reactor = reactor
        self._host = host
        self._port = port
        self._timeout = timeout

    def connect(self, factory: Any) -> "Deferred[Any]":
        """Connect the protocol that ``factory`` builds. Cancelling stops connecting.

        The result is the protocol, immediately before its ``connectionMade`` is called.
        """
        attempt = _Attempt(factory)
        connected: Deferred[Any] = Deferred(attempt.stop)
        attempt.connected = connected
        try:
            self._reactor.connectTCP(self._host, self._port, attempt, self._timeout)
        except Exception:
            return defer.fail()
        return connected


class _Attempt(ClientFactory):
    """Makes one connection. It and the connection do not know each other once it is made."""

    noisy = False

    def __init__(self, factory: Any) -> None:
        self._factory: Any = factory
        self._connector: Any = None
        self.connected: Deferred[Any] | None = None

    def startedConnecting(self, connector: IConnector) -> None:
        self._connector = connector

    def buildProtocol(self, addr: IAddress | None) -> Any:
        protocol, connected = self._factory.buildProtocol(addr), self._forget()
        if connected is not None:
            connected.callback(protocol)
        return protocol

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        connected = self._forget()
        if connected is not None and not connected.called:
            connected.errback(reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        connector.transport = None  # which refers to the connector

    def stop(self, connected: "Deferred[Any]") -> None:
        connector = self._connector
        connected.errback(ConnectingCancelledError(connector.getDestination()))
        connector.stopConnecting()

    def _forget(self) -> "Deferred[Any] | None":
        connected = self.connected
        self._factory = self._connector = self.connected = None
        return connected
