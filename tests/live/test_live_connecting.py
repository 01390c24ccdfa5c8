"""Connections to upstreams over real sockets: they are made, refused, given up, and leave no garbage.

pytest-twisted runs the reactor; these tests are not for trial.
"""

import gc
from collections.abc import AsyncIterator
from typing import Any
from weakref import ref

import pytest
import pytest_twisted
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectingCancelledError, ConnectionRefusedError
from twisted.python.failure import Failure

from oagw.config import Config
from oagw.forward.client import UpstreamConnection, send
from oagw.forward.direct import DirectEndpoint
from oagw.forward.response import UpstreamHead
from oagw.server.listen import open_socket
from tests.live.test_live_reactor import Running, after
from tests.support.wire import HEALTH

reactor: Any = installed_reactor


class Received:
    """Takes a response."""

    def __init__(self) -> None:
        self.body = b""
        self.ended: Deferred[int] = Deferred()

    def begun(self, head: UpstreamHead) -> None:
        self.status = head.status

    def received(self, data: bytes) -> None:
        self.body += data

    def read(self) -> None: ...

    def done(self) -> None:
        self.ended.callback(self.status)

    def failed(self, reason: Failure) -> None:
        self.ended.errback(reason)


@pytest_twisted.async_yield_fixture()
async def running() -> AsyncIterator[Running]:
    """A gateway at real speed, which is the upstream here."""
    async with Running(Config(port=0)) as running:
        yield running


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with open_socket(Config(port=0), {}) as listening:
        return int(listening.getsockname()[1])


@pytest_twisted.ensureDeferred
async def test_a_connection_is_freed_without_the_garbage_collector(running: Running) -> None:
    gc.collect()
    gc.disable()
    try:
        received = Received()
        connection = UpstreamConnection(HEALTH, received)
        connecting = send(DirectEndpoint(reactor, "127.0.0.1", running.port, 10.0), connection)
        assert await received.ended == 200
        assert b"healthy" in received.body
        transport = ref(connection.transport)
        connection_ref = ref(connection)
        await after(0)  # it closes in the next turn
        await running.quiet()
        del connection, connecting
        assert connection_ref() is None
        assert transport() is None
    finally:
        gc.enable()


@pytest_twisted.ensureDeferred
async def test_a_refused_connection_is_reported() -> None:
    connecting = send(
        DirectEndpoint(reactor, "127.0.0.1", closed_port(), 10.0), UpstreamConnection(b"", Received())
    )
    with pytest.raises(ConnectionRefusedError):
        await connecting


@pytest_twisted.ensureDeferred
async def test_connecting_can_be_cancelled(running: Running) -> None:
    connection = UpstreamConnection(HEALTH, Received())
    connecting = send(DirectEndpoint(reactor, "127.0.0.1", running.port, 10.0), connection)
    connecting.cancel()
    with pytest.raises(ConnectingCancelledError):
        await connecting
    await after(0)
    assert connection.transport is None
    assert not reactor.getWriters()
