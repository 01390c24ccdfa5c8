"""PumpedReactor: a MemoryReactorClock that transfers data between its connections, when it is pumped.

Twisted's ``iosim`` connects protocols as well, but closes each connection in an orderly way. Here, a reset is
a ConnectionAborted, and an end that does not read makes the other one wait.
"""

from collections.abc import Iterable
from itertools import count
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.base import DelayedCall
from twisted.internet.error import ConnectionDone, ConnectionRefusedError, UserError
from twisted.internet.interfaces import IConnector
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface import implementer

from oagw.in_memory.transport import MemoryTransport

# The largest number of iterations until a reactor is idle.
MAX_TURNS = 100_000

# Times are in microseconds: what is due a hair earlier waits for the next one.
_DECIMALS = 6


@implementer(IConnector)
class _Connector:
    """A requested connection."""

    transport: MemoryTransport | None = None

    def __init__(self, reactor: "PumpedReactor", host: str, port: int, factory: Any) -> None:
        self._reactor = reactor
        self.address = IPv4Address("TCP", host, port)
        self.factory = factory
        self.connect()

    def connect(self) -> None:
        self._reactor.asked.append(self)
        self.factory.doStart()
        self.factory.startedConnecting(self)

    def stopConnecting(self) -> None:
        self._reactor.asked.remove(self)
        self.failed(UserError())

    def disconnect(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
        elif self in self._reactor.asked:
            self.stopConnecting()

    def getDestination(self) -> IPv4Address:
        return self.address

    def failed(self, error: Exception) -> None:
        """There is no connection."""
        self.factory.clientConnectionFailed(self, Failure(error))
        self.factory.doStop()

    def lost(self, reason: Failure) -> None:
        """The connection has ended."""
        self.transport = None
        self.factory.clientConnectionLost(self, reason)
        self.factory.doStop()


class _ClientTransport(MemoryTransport):
    """The end of a client, which reports its end to the connector as well."""

    connector: _Connector

    def connectionLost(self, reason: Failure) -> None:
        ended = bool(self.disconnected)
        super().connectionLost(reason)
        if not ended:
            self.connector.lost(reason)


class PumpedReactor(MemoryReactorClock):
    """A reactor and a clock in memory.

    ``connectTCP`` connects to what ``listenTCP`` was called with for the same port, whatever the host; where
    nobody listens, the connection is refused. Nothing happens before ``pump`` or ``advance`` is called.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hasRun = True  # callWhenRunning calls at once
        self.asked: list[_Connector] = []  # connections that are not made yet
        self.pumping = False
        self._ends: list[MemoryTransport] = []
        self._ports = count(49152)

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: int = 30, bindAddress: Any = None
    ) -> IConnector:
        self.tcpClients.append((host, port, factory, timeout, bindAddress))
        return _Connector(self, host, port, factory)

    def pump(self, timings: Iterable[float] = ()) -> None:
        """Run the calls that are due and transfer data, until nothing is left to do.

        Time does not pass, unless there are ``timings``, as Clock.pump has them: seconds to advance by.
        If a protocol raises an exception, its connection ends and the exception is raised here. Raises
        RuntimeError if this never ends, as with a stream that never waits.
        """
        before, self.pumping = self.pumping, True
        try:
            for _ in range(MAX_TURNS):
                if not self._turn():
                    break
            else:
                raise RuntimeError(f"not at rest after {MAX_TURNS:,} turns: is there a stream without gaps?")
        finally:
            self.pumping = before
        for seconds in timings:
            self.advance(seconds)

    def advance(self, amount: float) -> None:
        """Let ``amount`` seconds pass. Calls that become due on the way run in order, each at its time."""
        target = self.rightNow + amount
        self.pump()
        while self.step(target):
            pass
        self.rightNow = target
        self.pump()

    def step(self, target: float) -> bool:
        """Go to the time of the next call and return True, unless it is after ``target``."""
        due = min((call.getTime() for call in self.getDelayedCalls()), default=None)
        if due is None or due > target:
            return False
        exact = round(due, _DECIMALS)
        self.rightNow = max(self.rightNow, exact if due <= exact <= target else due)
        self.pump()
        return True

    def _turn(self) -> bool:
        """Do the work of one iteration of a reactor. Return whether there was any."""
        due = [call for call in self.calls if call.getTime() <= self.rightNow]
        for call in due:
            if call.active() and call.getTime() <= self.rightNow:
                self._run(call)
        asked, self.asked = self.asked, []
        for connector in asked:
            self._connect(connector)
        moved = False
        for end in self._ends:
            if end in self.writers and end.can_write:
                moved = True
                self._do(end, is_read=False)
            if end in self.readers and end.can_read:
                moved = True
                self._do(end, is_read=True)
        self._ends = [end for end in self._ends if not end.disconnected]
        return bool(due or asked or moved)

    def _run(self, call: DelayedCall) -> None:
        self.calls.remove(call)
        call.called = 1
        call.func(*call.args, **call.kw)

    def _connect(self, connector: _Connector) -> None:
        port = connector.address.port
        listening = next((factory for number, factory, *_ in self.tcpServers if number == port), None)
        if listening is None:
            connector.failed(ConnectionRefusedError())
            return
        here, there = IPv4Address("TCP", "127.0.0.1", next(self._ports)), connector.address
        client, server = _ClientTransport(self, here, there), MemoryTransport(self, there, here)
        client.other, server.other = server, client
        client.connector, connector.transport = connector, client
        protocols = listening.buildProtocol(here), connector.factory.buildProtocol(there)
        for end, protocol in zip((server, client), protocols, strict=True):
            if protocol is None:  # the factory wants no connection after all
                connector.lost(Failure(ConnectionDone()))
                return
            end.protocol = protocol
        self._ends += [server, client]
        for end, protocol in zip((server, client), protocols, strict=True):
            end.connect(protocol)

    def _do(self, end: MemoryTransport, is_read: bool) -> None:
        """Call ``doRead`` or ``doWrite`` of ``end``. If it returns a reason, disconnect ``end``."""
        try:
            why = end.doRead() if is_read else end.doWrite()
        except Exception as error:
            end.connectionLost(Failure(error))
            raise
        if why is None:
            return
        self.removeReader(end)
        if is_read and isinstance(why, ConnectionDone):
            end.readConnectionLost(Failure(why))
        else:
            end.connectionLost(Failure(why))
